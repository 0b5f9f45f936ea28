import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Redemption codes: their pools, who owns each, what was imported, and the orders that wait for theirs. */
export class CreateCodeTables1765000004001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- By ids without a foreign key: codes are imported before a sale is approved, and until then this service does not know it.
      CREATE TABLE code_pool (
        pool_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        sale_id text COLLATE "C" NOT NULL,
        item_id text COLLATE "C" NOT NULL,
        -- What becomes of issued codes whose order is refunded. They were shown: burned unless the merchant says otherwise.
        on_refund text NOT NULL DEFAULT 'burn' CHECK (on_refund IN ('burn', 'return')),
        UNIQUE (sale_id, item_id)
      );
      -- A million rows are written at once: pool_id is taken from code_pool by the same transaction, and not checked again row by row.
      CREATE TABLE code (
        code_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        pool_id int NOT NULL,
        -- HMAC of the code: the same code cannot be in the pool twice, and nobody can read it here.
        fingerprint bytea NOT NULL,
        key_id text NOT NULL,
        sealed bytea NOT NULL,
        state text NOT NULL DEFAULT 'FREE' CHECK (state IN ('FREE', 'ISSUED', 'REDEEMED', 'BURNED')),
        -- An order's rid, or a partner's order. Burned codes keep their last one.
        owner text COLLATE "C",
        redeemed_at timestamptz,
        CONSTRAINT free_is_unowned CHECK ((state = 'FREE') = (owner IS NULL))
      );
      CREATE UNIQUE INDEX code_once ON code (pool_id, fingerprint);
      CREATE INDEX code_free ON code (pool_id, code_id) WHERE state = 'FREE';
      CREATE INDEX code_of_owner ON code (owner, code_id) WHERE owner IS NOT NULL;
      -- What was imported by whom; a chunk that is sent again finds its answer here.
      CREATE TABLE code_import_chunk (
        import_id uuid NOT NULL,
        chunk int NOT NULL,
        pool_id int NOT NULL,
        actor text NOT NULL,
        added int NOT NULL DEFAULT 0,
        duplicates int NOT NULL DEFAULT 0,
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (import_id, chunk)
      );
      -- Paid orders that are owed codes. WAITING: to be issued. SHORT: there were not enough, for good. VOID: the order is paid no longer.
      CREATE TABLE code_claim (
        sale_id text COLLATE "C" NOT NULL,
        rid text COLLATE "C" NOT NULL,
        items jsonb NOT NULL,
        state text NOT NULL DEFAULT 'WAITING' CHECK (state IN ('WAITING', 'ISSUED', 'SHORT', 'VOID')),
        attempts int NOT NULL DEFAULT 0,
        next_attempt_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (sale_id, rid)
      );
      CREATE INDEX code_claim_waiting ON code_claim (next_attempt_at) WHERE state = 'WAITING';
      -- Who replaced, gave back, redeemed or re-ruled what, and why: append-only.
      CREATE TABLE code_event (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        event text NOT NULL,
        actor text NOT NULL,
        owner text COLLATE "C" NOT NULL,
        reason text NOT NULL DEFAULT '',
        code_ids bigint[] NOT NULL DEFAULT '{}',
        at timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      CREATE INDEX code_event_of_owner ON code_event (owner);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE code_event, code_claim, code_import_chunk, code, code_pool');
  }
}
