import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Switches that somebody has set; all others have their defaults. Rows are never deleted, so that the highest version never falls. */
export class Switch1765000007000 implements MigrationInterface {
  name = 'Switch1765000007000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE TABLE switch (
  name       text PRIMARY KEY,
  value      jsonb NOT NULL,
  -- Of all switches together: each change has the next one.
  version    integer NOT NULL UNIQUE CHECK (version > 0),
  changed_by text NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE switch');
  }
}
