-- The provider's book: what buyers did with their money, and which notices are still owed. Times are epoch milliseconds.
CREATE TABLE IF NOT EXISTS payment (
  payment_id    TEXT PRIMARY KEY,
  order_id      TEXT NOT NULL,
  amount        INTEGER NOT NULL CHECK (amount >= 0),
  currency      TEXT NOT NULL,
  callback_url  TEXT NOT NULL,
  return_url    TEXT,
  -- The unguessable part of the buyer's page.
  secret        TEXT NOT NULL,
  state         TEXT NOT NULL CHECK (state IN ('open', 'captured', 'declined', 'closed', 'expired', 'refunded')),
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  -- The buyer's decision while its delay runs, and the extra notices asked for.
  outcome       TEXT CHECK (outcome IN ('capture', 'decline')),
  settle_at_ms  INTEGER,
  repeat        INTEGER NOT NULL DEFAULT 0,
  settled_at_ms INTEGER,
  refund_id     TEXT,
  refunded_at_ms INTEGER,
  -- When a closed payment is captured all the same, and refunds that failed: what a misbehaving provider has decided.
  late_capture_at_ms INTEGER,
  refund_failures INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS payment_by_order ON payment (order_id, payment_id);
CREATE INDEX IF NOT EXISTS payment_due ON payment (min(expires_at_ms, coalesce(settle_at_ms, expires_at_ms))) WHERE state = 'open';

CREATE TABLE IF NOT EXISTS notice (
  id            TEXT PRIMARY KEY,
  payment_id    TEXT NOT NULL REFERENCES payment (payment_id),
  callback_url  TEXT NOT NULL,
  -- The bytes that are signed and sent, the same at every delivery.
  body          TEXT NOT NULL,
  -- Deliveries that still have to be answered 200; the row goes when none is left.
  owed          INTEGER NOT NULL CHECK (owed > 0),
  failures      INTEGER NOT NULL DEFAULT 0,
  next_at_ms    INTEGER NOT NULL,
  -- Deliveries at once instead of one after the other, and the lies (comma-separated) that come before the first.
  concurrent    INTEGER NOT NULL DEFAULT 0,
  lies          TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX IF NOT EXISTS notice_due ON notice (next_at_ms);
CREATE INDEX IF NOT EXISTS notice_of_payment ON notice (payment_id);
