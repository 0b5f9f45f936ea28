import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Late money that may buy its units again, and events that came with two bodies. */
export class AddLatePayments1765000001001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- The order that the provider knows the payment by, where its money was taken over to another one; else null.
      ALTER TABLE payment ADD COLUMN opened_for text COLLATE "C";
      ALTER TABLE payment_event ADD COLUMN altered int NOT NULL DEFAULT 0, ADD COLUMN altered_body jsonb, ADD COLUMN altered_at timestamptz;
      -- One row per late payment of a sale that reacquires: the decision, worked off until it is one or the other.
      CREATE TABLE reacquisition (
        payment_id text COLLATE "C" PRIMARY KEY REFERENCES payment,
        sale_id text COLLATE "C" NOT NULL,
        rid text COLLATE "C" NOT NULL,
        new_rid text COLLATE "C" NOT NULL,
        state text NOT NULL CHECK (state IN ('WAITING', 'REACQUIRED', 'REFUNDED')),
        -- Why it was refunded.
        reason text,
        attempts int NOT NULL DEFAULT 0,
        next_attempt_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        last_error text,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        FOREIGN KEY (sale_id, rid) REFERENCES orders,
        CONSTRAINT reason_when_refunded CHECK ((state = 'REFUNDED') = (reason IS NOT NULL))
      );
      CREATE INDEX reacquisition_waiting ON reacquisition (next_attempt_at) WHERE state = 'WAITING';
      CREATE INDEX reacquisition_of_order ON reacquisition (sale_id, rid);
      -- An order is bought by one late payment at most; another of the same old order is given back.
      CREATE UNIQUE INDEX reacquisition_once ON reacquisition (sale_id, new_rid) WHERE state = 'REACQUIRED';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE reacquisition;
      ALTER TABLE payment_event DROP COLUMN altered, DROP COLUMN altered_body, DROP COLUMN altered_at;
      ALTER TABLE payment DROP COLUMN opened_for;
    `);
  }
}
