import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The sales that the team hears of, and what it was told of each: a row decides which of several instances tells it. */
export class Digest1766000002000 implements MigrationInterface {
  name = 'Digest1766000002000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE digest_sale (
      sale_id   text PRIMARY KEY,
      version   integer NOT NULL,
      state     text NOT NULL,
      -- Null until the document has come: a later state may overtake it.
      title     text,
      opens_at  timestamptz,
      closes_at timestamptz,
      units     integer,
      items     integer,
      -- Its last digest was told.
      done      boolean NOT NULL DEFAULT false
    )`);
    await runner.query('CREATE INDEX digest_sale_open ON digest_sale (opens_at) WHERE NOT done');
    await runner.query(`CREATE TABLE digest (
      sale_id  text NOT NULL,
      occasion text NOT NULL,
      told_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (sale_id, occasion)
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE digest, digest_sale');
  }
}
