import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The ledger's hash chain, in tables of its own: a job writes it, off the way of orders. An entry's number is its place in its sale.
 * How many entries a lane's item has is counted beside its counters, in the UPDATE that moves them: so the job knows where there is something
 * to seal without looking at the ledger, and an end that was cut off is missed.
 */
export class AddLedgerSeals1765000009001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE lane_item ADD COLUMN entries int NOT NULL DEFAULT 0;
      UPDATE lane_item s SET entries = c.entries FROM (SELECT sale_id, lane, item_id, count(*) AS entries FROM ledger GROUP BY 1, 2, 3) AS c
        WHERE s.sale_id = c.sale_id AND s.lane = c.lane AND s.item_id = c.item_id;
      -- Entries lie in the order of seq, for nothing is ever changed: a block range index finds the newest for a few bytes per megabyte, where a tree would cost every INSERT.
      CREATE INDEX ledger_by_seq ON ledger USING brin (seq) WITH (pages_per_range = 32, autosummarize = on);
      CREATE TABLE ledger_seal (
        sale_id text COLLATE "C" NOT NULL,
        number int NOT NULL CHECK (number > 0),
        seq bigint NOT NULL UNIQUE,
        hash text NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$'),
        PRIMARY KEY (sale_id, number)
      );
      CREATE TRIGGER ledger_seal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_seal
        FOR EACH STATEMENT EXECUTE FUNCTION reject_change();
      -- How far each lane is sealed. Within a lane entries commit in the order of seq, because the lane's lock is held from before the first to the commit.
      CREATE TABLE ledger_sealed (
        sale_id text COLLATE "C" NOT NULL,
        lane int NOT NULL,
        entries int NOT NULL,
        seq bigint NOT NULL,
        PRIMARY KEY (sale_id, lane)
      ) WITH (fillfactor = 50);
      -- The triggers also stop the owner, which the service is; the rights stop whoever switches triggers off.
      REVOKE UPDATE, DELETE, TRUNCATE ON ledger, ledger_seal FROM PUBLIC, CURRENT_USER;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      GRANT UPDATE, DELETE, TRUNCATE ON ledger TO CURRENT_USER;
      DROP TABLE ledger_sealed, ledger_seal; DROP INDEX ledger_by_seq; ALTER TABLE lane_item DROP COLUMN entries`);
  }
}
