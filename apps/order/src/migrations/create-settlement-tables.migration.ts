import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Comparisons of the providers' books with ours, and how often a provider was asked about a payment. */
export class CreateSettlementTables1765000002001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE payment ADD COLUMN asks int NOT NULL DEFAULT 0;
      -- Ended without our knowing of money: asked about a few times more, in case it was taken all the same.
      CREATE INDEX payment_ended_unpaid ON payment (next_ask_at) WHERE state IN ('DECLINED', 'EXPIRED', 'CLOSED');
      CREATE INDEX payment_moved ON payment (provider, updated_at, payment_id) WHERE state IN ('CAPTURED', 'REFUNDED');
      CREATE TABLE settlement (
        id text COLLATE "C" PRIMARY KEY,
        provider text NOT NULL,
        -- A day in UTC; null: all time.
        day date,
        trigger text NOT NULL CHECK (trigger IN ('asked', 'daily')),
        state text NOT NULL CHECK (state IN ('running', 'equal', 'different', 'unknown')),
        problem text,
        there int NOT NULL DEFAULT 0,
        here int NOT NULL DEFAULT 0,
        started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        -- Whoever runs it says so now and then; silence means that it died.
        touched_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        finished_at timestamptz
      );
      CREATE UNIQUE INDEX settlement_daily ON settlement (provider, day) WHERE trigger = 'daily';
      -- The provider's side while a comparison runs. Lost in a crash of the server, and then the second look at each payment asks again.
      CREATE UNLOGGED TABLE settlement_entry (
        settlement_id text COLLATE "C" NOT NULL,
        payment_id text COLLATE "C" NOT NULL,
        order_id text COLLATE "C" NOT NULL,
        currency text NOT NULL,
        captured bigint NOT NULL,
        refunded bigint NOT NULL,
        PRIMARY KEY (settlement_id, payment_id)
      );
      CREATE TABLE settlement_difference (
        settlement_id text COLLATE "C" NOT NULL REFERENCES settlement ON DELETE CASCADE,
        order_id text COLLATE "C" NOT NULL,
        -- Empty for an order that no payment stands for.
        payment_id text COLLATE "C" NOT NULL,
        kind text COLLATE "C" NOT NULL,
        here text NOT NULL,
        there text NOT NULL,
        PRIMARY KEY (settlement_id, order_id, payment_id, kind)
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE settlement_difference, settlement_entry, settlement;
      DROP INDEX payment_ended_unpaid, payment_moved;
      ALTER TABLE payment DROP COLUMN asks;
    `);
  }
}
