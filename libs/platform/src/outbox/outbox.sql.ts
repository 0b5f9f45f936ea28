/**
 * Messages that belong to a committed change and are not known to be confirmed yet; deleted after the confirm. `body` is the JSON
 * text that goes out, byte for byte. Vacuumed early: a table that only passes rows through grows by its dead ones.
 */
export const outboxTableSql = `
CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  message_id uuid NOT NULL DEFAULT gen_random_uuid(),
  name text NOT NULL,
  body text NOT NULL,
  occurred_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  failures integer NOT NULL DEFAULT 0,
  next_at timestamptz NOT NULL DEFAULT '-infinity'
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)`;

/** Where a message comes from: the client's request and its trace. After the table above, which was released without. */
export const outboxOriginSql = 'ALTER TABLE outbox ADD COLUMN request_id text, ADD COLUMN traceparent text';

/** Messages whose effect is committed, per consumer. */
export const inboxTableSql = `
CREATE TABLE inbox (
  consumer text NOT NULL,
  message_id text NOT NULL,
  received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (consumer, message_id)
);
CREATE INDEX inbox_received_at ON inbox (received_at)`;
