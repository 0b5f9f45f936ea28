import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The copy of each approved sale, its lanes and their counters, the ledger that explains every counter, and the real stock.
 * Ids are compared bytewise (COLLATE "C"), so that JavaScript and Postgres agree on their order; it is the order of locks.
 */
export class CreateSaleTables1764000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE sale (
        sale_id text COLLATE "C" PRIMARY KEY,
        version int NOT NULL,
        state text NOT NULL,
        title text NOT NULL,
        merchant_id text NOT NULL,
        opens_at_ms bigint NOT NULL,
        closes_at_ms bigint NOT NULL,
        payment_window_ms bigint NOT NULL CHECK (payment_window_ms > 0),
        late_payment text NOT NULL,
        currency text NOT NULL,
        per_account int,
        per_ip int,
        rid_secret text NOT NULL,
        lanes int NOT NULL CHECK (lanes > 0),
        armed boolean NOT NULL DEFAULT false,
        -- Set once every open order of a withdrawn sale is on its way out: the job that does it resumes by this.
        withdrawal_done boolean NOT NULL DEFAULT false,
        copied_at timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      CREATE TABLE sale_item (
        sale_id text COLLATE "C" NOT NULL REFERENCES sale,
        item_id text COLLATE "C" NOT NULL,
        item_no int NOT NULL,
        sku_id text COLLATE "C" NOT NULL,
        title text NOT NULL,
        image_url text,
        kind text NOT NULL,
        price bigint NOT NULL CHECK (price >= 0),
        list_price bigint,
        quota int NOT NULL CHECK (quota >= 0),
        per_account int,
        PRIMARY KEY (sale_id, item_id)
      );
      CREATE TABLE lane (
        sale_id text COLLATE "C" NOT NULL REFERENCES sale,
        lane int NOT NULL,
        epoch int NOT NULL DEFAULT 1 CHECK (epoch >= 1),
        loaded_epoch int NOT NULL DEFAULT 0,
        PRIMARY KEY (sale_id, lane)
      );
      -- The judge: whatever Redis says, these units cannot be promised twice.
      CREATE TABLE lane_item (
        sale_id text COLLATE "C" NOT NULL,
        lane int NOT NULL,
        item_id text COLLATE "C" NOT NULL,
        allotment int NOT NULL DEFAULT 0,
        held int NOT NULL DEFAULT 0,
        sold int NOT NULL DEFAULT 0,
        burned int NOT NULL DEFAULT 0,
        PRIMARY KEY (sale_id, lane, item_id),
        FOREIGN KEY (sale_id, lane) REFERENCES lane,
        FOREIGN KEY (sale_id, item_id) REFERENCES sale_item,
        CONSTRAINT no_oversell CHECK (held >= 0 AND sold >= 0 AND burned >= 0 AND held + sold + burned <= allotment)
      ) WITH (fillfactor = 50);
      -- Units that an account holds or has paid; a row only where a limit counts them. item_id '' = the whole sale.
      CREATE TABLE account_usage (
        sale_id text COLLATE "C" NOT NULL,
        account_id text COLLATE "C" NOT NULL,
        item_id text COLLATE "C" NOT NULL,
        units int NOT NULL CHECK (units >= 0),
        PRIMARY KEY (sale_id, account_id, item_id)
      );
      -- taken may exceed units: an operator can learn that the warehouse has less than was promised already.
      CREATE TABLE inventory (
        sku_id text COLLATE "C" PRIMARY KEY,
        units int NOT NULL CHECK (units >= 0),
        taken int NOT NULL DEFAULT 0 CHECK (taken >= 0),
        updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
      ) WITH (fillfactor = 50);
      CREATE TABLE inventory_change (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        sku_id text COLLATE "C" NOT NULL,
        actor text NOT NULL,
        units_before int,
        units_after int NOT NULL,
        at timestamptz NOT NULL DEFAULT clock_timestamp()
      );
    `);
    await runner.query(`
      -- operation_id is the reservation's id, or that of the operator's act; the key makes each entry happen once.
      CREATE TABLE ledger (
        seq bigint GENERATED ALWAYS AS IDENTITY,
        sale_id text COLLATE "C" NOT NULL,
        lane int NOT NULL,
        operation_id text COLLATE "C" NOT NULL,
        item_id text COLLATE "C" NOT NULL,
        entry text NOT NULL CHECK (entry IN ('HOLD', 'SELL', 'RELEASE', 'BURN', 'STOCK_IN', 'STOCK_OUT')),
        quantity int NOT NULL CHECK (quantity > 0 OR entry IN ('STOCK_IN', 'STOCK_OUT')),
        -- Free units of the lane's item after this entry: why an attempt ended as it did, readable without adding up.
        free_after int NOT NULL,
        at timestamptz NOT NULL,
        PRIMARY KEY (sale_id, operation_id, item_id, entry)
      );
      CREATE FUNCTION reject_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'FG010';
      END $$;
      CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
        FOR EACH STATEMENT EXECUTE FUNCTION reject_change();
      CREATE TRIGGER inventory_change_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON inventory_change
        FOR EACH STATEMENT EXECUTE FUNCTION reject_change();
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE ledger, inventory_change, inventory, account_usage, lane_item, lane, sale_item, sale; DROP FUNCTION reject_change()');
  }
}
