import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Why the last try to close an order came to nothing: what an operator sees of an order that does not end. */
export class AddCloseError1765000005001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE orders ADD COLUMN close_error text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE orders DROP COLUMN close_error');
  }
}
