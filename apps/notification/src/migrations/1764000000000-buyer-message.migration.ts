import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What buyers are told: one row for each kind of news of a reservation, whose key makes repeated messages harmless. */
export class BuyerMessage1764000000000 implements MigrationInterface {
  name = 'BuyerMessage1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(buyerMessageTableSql);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE buyer_message');
  }
}

const buyerMessageTableSql = `
CREATE TABLE buyer_message (
  rid          text NOT NULL,
  kind         text NOT NULL CHECK (kind IN ('created', 'paid', 'closed')),
  account_id   text NOT NULL,
  -- Version of the order that the news is of.
  version      integer NOT NULL,
  body         text NOT NULL,
  -- superseded: later news of the same order were known already, so that this would have misled.
  state        text NOT NULL CHECK (state IN ('pending', 'delivered', 'superseded')),
  attempts     integer NOT NULL DEFAULT 0,
  -- Until then whoever took the row is delivering it.
  claimed_until timestamptz NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  delivered_at timestamptz,
  PRIMARY KEY (rid, kind)
);
CREATE INDEX buyer_message_pending ON buyer_message (claimed_until) WHERE state = 'pending';
`;
