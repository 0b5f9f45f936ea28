import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Accounts that may not buy. A lifted entry stays with its version, so that whoever follows the list by version learns of it. */
export class BlockList1765000008002 implements MigrationInterface {
  name = 'BlockList1765000008002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE block_list (
        account_id text PRIMARY KEY,
        version    bigint NOT NULL UNIQUE,
        blocked    boolean NOT NULL,
        reason     text,
        until      timestamptz,
        actor      text NOT NULL,
        blocked_at timestamptz NOT NULL
      );
      -- Attempts that no honest client makes, counted until the window has passed.
      CREATE TABLE abuse (
        account_id text NOT NULL,
        sale_id    text NOT NULL,
        attempts   integer NOT NULL,
        since      timestamptz NOT NULL,
        PRIMARY KEY (account_id, sale_id)
      );
      CREATE INDEX abuse_since ON abuse (since);
      CREATE TABLE refusal_report (report_id text PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp());
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE refusal_report, abuse, block_list');
  }
}
