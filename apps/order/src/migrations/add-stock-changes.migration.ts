import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Operators' changes of a sale's stock, and the versions by which they reach Redis, gateways and promotion.
 * Inventory that nobody has counted is `assumed`: it is what the sale offers, and follows it.
 */
export class AddStockChanges1765000003001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE lane_item ADD COLUMN allotment_version int NOT NULL DEFAULT 0;
      UPDATE lane_item SET allotment_version = 1 WHERE allotment > 0;
      ALTER TABLE sale_item ADD COLUMN stock_version int NOT NULL DEFAULT 0;
      ALTER TABLE inventory ADD COLUMN assumed boolean NOT NULL DEFAULT false;
      UPDATE inventory v SET assumed = true WHERE NOT EXISTS (SELECT 1 FROM inventory_change c WHERE c.sku_id = v.sku_id);
      -- One row per idempotency key; rid follows from account, item and key. What was asked is written before Redis is.
      CREATE TABLE stock_change (
        sale_id text COLLATE "C" NOT NULL,
        rid text COLLATE "C" NOT NULL,
        lane int NOT NULL,
        item_id text COLLATE "C" NOT NULL,
        delta int NOT NULL CHECK (delta <> 0),
        account_id text COLLATE "C" NOT NULL,
        reason text NOT NULL,
        -- ASKED: Redis may hold the units. REFUSED: nothing is held, the key is free. BOOKED, REJECTED: decided for good.
        state text NOT NULL CHECK (state IN ('ASKED', 'REFUSED', 'BOOKED', 'REJECTED')),
        -- Of the units' reservation in Redis; 0 and null where there was none.
        number bigint NOT NULL DEFAULT 0,
        reserved_at timestamptz,
        -- What the operator was told of a booked one.
        answer jsonb,
        asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        decided_at timestamptz,
        PRIMARY KEY (sale_id, rid),
        CONSTRAINT booked_has_answer CHECK ((state = 'BOOKED') = (answer IS NOT NULL))
      );
      CREATE FUNCTION check_stock_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF TG_OP = 'DELETE' OR OLD.state IN ('BOOKED', 'REJECTED') THEN
          RAISE EXCEPTION 'stock change %: what is decided stays', OLD.rid USING ERRCODE = 'FG012';
        END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER stock_change_stays BEFORE UPDATE OR DELETE ON stock_change FOR EACH ROW EXECUTE FUNCTION check_stock_change();
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE stock_change; DROP FUNCTION check_stock_change();
      ALTER TABLE inventory DROP COLUMN assumed; ALTER TABLE sale_item DROP COLUMN stock_version; ALTER TABLE lane_item DROP COLUMN allotment_version`);
  }
}
