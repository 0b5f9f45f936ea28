import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Payments and what became of them, dead letters, and the answers bound to idempotency keys. */
export class CreatePaymentTables1764000000003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE payment (
        payment_id text COLLATE "C" PRIMARY KEY,
        sale_id text COLLATE "C" NOT NULL,
        rid text COLLATE "C" NOT NULL,
        provider text NOT NULL,
        amount bigint NOT NULL CHECK (amount >= 0),
        currency text NOT NULL,
        -- STARTING: the provider may not know it yet. Terminal: DECLINED, EXPIRED, CLOSED, REFUNDED, and CAPTURED for a paid order.
        state text NOT NULL CHECK (state IN ('STARTING', 'OPEN', 'CAPTURED', 'DECLINED', 'EXPIRED', 'CLOSED', 'REFUNDED')),
        redirect_url text,
        return_url text,
        expires_at timestamptz,
        -- The one payment whose money the order stands for; another capture of the same order is given back.
        pays boolean NOT NULL DEFAULT false,
        -- When to ask the provider what became of it, should its notice not come; owned by the poller.
        next_ask_at timestamptz NOT NULL DEFAULT clock_timestamp() + interval '30 seconds',
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        FOREIGN KEY (sale_id, rid) REFERENCES orders
      );
      CREATE INDEX payment_of_order ON payment (sale_id, rid);
      CREATE UNIQUE INDEX payment_one_live ON payment (sale_id, rid) WHERE state IN ('STARTING', 'OPEN');
      CREATE UNIQUE INDEX payment_one_pays ON payment (sale_id, rid) WHERE pays;
      CREATE INDEX payment_unanswered ON payment (next_ask_at) WHERE state = 'OPEN';
      CREATE TABLE payment_event (
        provider text NOT NULL,
        event_id text NOT NULL,
        payment_id text COLLATE "C" NOT NULL,
        type text NOT NULL,
        amount bigint,
        body jsonb NOT NULL,
        outcome text NOT NULL,
        received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (provider, event_id)
      );
      -- One refund per payment, whatever the number of late callbacks.
      CREATE TABLE refund (
        payment_id text COLLATE "C" PRIMARY KEY REFERENCES payment,
        sale_id text COLLATE "C" NOT NULL,
        rid text COLLATE "C" NOT NULL,
        amount bigint NOT NULL CHECK (amount >= 0),
        currency text NOT NULL,
        reason text NOT NULL,
        state text NOT NULL CHECK (state IN ('WAITING', 'DONE')),
        attempts int NOT NULL DEFAULT 0,
        next_attempt_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        last_error text,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      CREATE INDEX refund_waiting ON refund (next_attempt_at) WHERE state = 'WAITING';
    `);
    await runner.query(`
      CREATE TABLE dead_letter (
        id text COLLATE "C" PRIMARY KEY,
        -- Order of arrival: the list's, newest first.
        seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
        queue text NOT NULL,
        name text NOT NULL,
        message_id text NOT NULL,
        body bytea NOT NULL,
        headers jsonb NOT NULL DEFAULT '{}',
        reason text NOT NULL,
        first_error text NOT NULL,
        last_error text NOT NULL,
        attempts int NOT NULL,
        state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'replayed', 'discarded')),
        sale_id text COLLATE "C",
        reservation_ids text[] NOT NULL DEFAULT '{}',
        -- Its parked orders are closed then, unless it was replayed.
        close_at timestamptz,
        actor text,
        discard_reason text,
        occurred_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      CREATE INDEX dead_letter_waiting ON dead_letter (close_at) WHERE state = 'waiting';
      -- The same message may die again (after a replay) and the same death be told twice: it is one letter, and waits again.
      CREATE UNIQUE INDEX dead_letter_once ON dead_letter (queue, message_id);
      CREATE TABLE idempotency_key (
        account_id text COLLATE "C" NOT NULL,
        route text NOT NULL,
        subject text NOT NULL,
        key text NOT NULL,
        fingerprint text NOT NULL,
        status int NOT NULL,
        body jsonb NOT NULL,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (account_id, route, subject, key)
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE idempotency_key, dead_letter, refund, payment_event, payment');
  }
}
