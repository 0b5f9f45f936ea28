import { inboxTableSql, outboxTableSql } from '@floodgate/platform';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * One row per reservation: its fate, and at the same time the position of its saga (order.transitions.ts).
 * The trigger is the last line of defence: no code can take an order along a forbidden way.
 */
export class CreateOrderTables1764000000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- The database's clock as it is now (not at the start of the transaction), in the milliseconds that the contracts speak.
      CREATE FUNCTION clock_ms() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$ SELECT date_trunc('milliseconds', clock_timestamp()) $$;
      CREATE TABLE orders (
        sale_id text COLLATE "C" NOT NULL,
        rid text COLLATE "C" NOT NULL,
        lane int NOT NULL,
        account_id text COLLATE "C" NOT NULL,
        ip_hash text NOT NULL,
        number bigint NOT NULL,
        items jsonb NOT NULL,
        state text NOT NULL CHECK (state IN ('PENDING', 'CLOSING', 'STUCK', 'PAID', 'REFUNDING', 'CLOSED')),
        -- Why it is being closed, or was. Shown to buyers only when it is closed.
        reason text,
        version int NOT NULL DEFAULT 1,
        amount bigint NOT NULL CHECK (amount >= 0),
        currency text NOT NULL,
        -- Null where the order never came to wait for a payment.
        pay_by timestamptz,
        reserved_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        paid_at timestamptz,
        closing_since timestamptz,
        -- How often the close (or refund) was tried in vain, and when to try again; owned by sweeper/.
        close_attempts int NOT NULL DEFAULT 0,
        next_attempt_at timestamptz,
        PRIMARY KEY (sale_id, rid),
        CONSTRAINT reason_when_closing CHECK ((state IN ('CLOSING', 'REFUNDING', 'CLOSED')) = (reason IS NOT NULL)),
        CONSTRAINT first_state CHECK (version > 1 OR state IN ('PENDING', 'STUCK', 'CLOSED'))
      );
      -- A random secondary index costs more than the row itself; these three are what the sweeper and the lists of buyers need.
      CREATE INDEX orders_due ON orders (pay_by) WHERE state = 'PENDING';
      CREATE INDEX orders_unfinished ON orders (updated_at) WHERE state IN ('CLOSING', 'REFUNDING', 'STUCK');
      CREATE INDEX orders_of_account ON orders (account_id, created_at, rid);

      CREATE FUNCTION check_order_transition() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF TG_OP = 'DELETE' THEN
          RAISE EXCEPTION 'orders are never deleted' USING ERRCODE = 'FG011';
        END IF;
        IF (NEW.sale_id, NEW.rid, NEW.lane, NEW.account_id, NEW.items, NEW.amount, NEW.currency, NEW.reserved_at)
           IS DISTINCT FROM (OLD.sale_id, OLD.rid, OLD.lane, OLD.account_id, OLD.items, OLD.amount, OLD.currency, OLD.reserved_at) THEN
          RAISE EXCEPTION 'order %: what was reserved does not change', OLD.rid USING ERRCODE = 'FG011';
        END IF;
        IF NEW.state = OLD.state THEN
          IF NEW.version <> OLD.version OR OLD.state = 'CLOSED' THEN
            RAISE EXCEPTION 'order %: % stays as it is', OLD.rid, OLD.state USING ERRCODE = 'FG011';
          END IF;
        ELSIF NEW.version <> OLD.version + 1 OR (OLD.state, NEW.state) NOT IN (
            ('PENDING', 'CLOSING'), ('PENDING', 'PAID'), ('PENDING', 'CLOSED'),
            ('CLOSING', 'PAID'), ('CLOSING', 'CLOSED'),
            ('STUCK', 'PENDING'), ('STUCK', 'CLOSED'),
            ('PAID', 'REFUNDING'), ('REFUNDING', 'CLOSED')) THEN
          RAISE EXCEPTION 'order %: % (version %) cannot become % (version %)', OLD.rid, OLD.state, OLD.version, NEW.state, NEW.version
            USING ERRCODE = 'FG011';
        END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER orders_transition BEFORE UPDATE OR DELETE ON orders FOR EACH ROW EXECUTE FUNCTION check_order_transition();
    `);
    await runner.query(outboxTableSql);
    await runner.query(inboxTableSql);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE orders, outbox, inbox; DROP FUNCTION check_order_transition, clock_ms');
  }
}
