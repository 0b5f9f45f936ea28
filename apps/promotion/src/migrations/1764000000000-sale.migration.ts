import { outboxTableSql } from '@floodgate/platform';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Sales, the audit log of what people did to them, and the outbox that tells the other services. */
export class Sale1764000000000 implements MigrationInterface {
  name = 'Sale1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(saleTableSql);
    await runner.query(auditLogTableSql);
    await runner.query(outboxTableSql);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE outbox, audit_log, sale; DROP FUNCTION refuse_change()');
  }
}

// Items are one jsonb value: a sale is written and read whole, and nobody asks across sales for an item.
const saleTableSql = `
CREATE TABLE sale (
  id                     text PRIMARY KEY,
  -- Order of creation, for pages; never shown.
  position               bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  merchant_id            text NOT NULL,
  state                  text NOT NULL CHECK (state IN ('DRAFT', 'SUBMITTED', 'APPROVED', 'ARMED', 'PAUSED', 'ENDED', 'REJECTED', 'WITHDRAWN')),
  version                integer NOT NULL CHECK (version > 0),
  title                  text NOT NULL,
  mode                   text NOT NULL,
  opens_at               timestamptz NOT NULL,
  closes_at              timestamptz NOT NULL CHECK (closes_at > opens_at),
  payment_window_seconds integer NOT NULL,
  late_payment           text NOT NULL,
  limits                 jsonb NOT NULL,
  challenge              text NOT NULL,
  items                  jsonb NOT NULL,
  rid_secret             text NOT NULL,
  submitted_by           text,
  approved_by            text,
  arm_error              text,
  -- When order was last asked to arm this sale, and how often.
  arm_asked_at           timestamptz,
  arm_asks               integer NOT NULL DEFAULT 0,
  created_at             timestamptz NOT NULL,
  updated_at             timestamptz NOT NULL
);
CREATE INDEX sale_of_merchant ON sale (merchant_id, position);
CREATE INDEX sale_to_arm ON sale (opens_at) WHERE state = 'APPROVED';
CREATE INDEX sale_published ON sale (closes_at) WHERE state NOT IN ('DRAFT', 'SUBMITTED', 'REJECTED');
`;

// The trigger and not a revoked right: it also stops the owner of the table, which the service is.
const auditLogTableSql = `
CREATE TABLE audit_log (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  account_id text NOT NULL,
  action     text NOT NULL,
  subject    text NOT NULL,
  reason     text,
  before     jsonb,
  after      jsonb
);
CREATE INDEX audit_log_of_subject ON audit_log (subject, id);
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit log is append-only';
END $$;
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
`;
