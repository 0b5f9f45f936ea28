import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When the watchdog of the alerts was last heard: one row, once it was heard at all. */
export class Watchdog1766000001000 implements MigrationInterface {
  name = 'Watchdog1766000001000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE watchdog (
      id      boolean PRIMARY KEY DEFAULT true CHECK (id),
      seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      -- When the team was told that it is away; null while it is there.
      told_at timestamptz
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE watchdog');
  }
}
