import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Exports of sales, made in one transaction and read page by page afterwards: what goes out is of one moment, whoever reads how slowly. */
export class AddSaleExports1765000009002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE sale_export (
        export_id text COLLATE "C" PRIMARY KEY,
        sale_id text COLLATE "C" NOT NULL,
        certificate jsonb NOT NULL,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      CREATE TABLE sale_export_page (
        export_id text COLLATE "C" NOT NULL REFERENCES sale_export ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
        number int NOT NULL CHECK (number > 0),
        file text NOT NULL,
        content text NOT NULL,
        PRIMARY KEY (export_id, number)
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE sale_export_page, sale_export');
  }
}
