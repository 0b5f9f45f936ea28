import type { MigrationInterface, QueryRunner } from 'typeorm';

/** FULFILLED: what a paid order stands for was handed over. It counts as sold, and only a refund leads out of it. */
export class AddFulfilledState1765000001000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE orders DROP CONSTRAINT orders_state_check;
      ALTER TABLE orders ADD CONSTRAINT orders_state_check CHECK (state IN ('PENDING', 'CLOSING', 'STUCK', 'PAID', 'FULFILLED', 'REFUNDING', 'CLOSED'));
    `);
    await runner.query(transitionSql([...transitionsBefore, ['PAID', 'FULFILLED'], ['FULFILLED', 'REFUNDING']]));
  }

  /** Orders that are fulfilled would have no state to be in, so this fails where there are any. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE orders DROP CONSTRAINT orders_state_check;
      ALTER TABLE orders ADD CONSTRAINT orders_state_check CHECK (state IN ('PENDING', 'CLOSING', 'STUCK', 'PAID', 'REFUNDING', 'CLOSED'));
    `);
    await runner.query(transitionSql(transitionsBefore));
  }
}

const transitionsBefore: readonly (readonly [string, string])[] = [
  ['PENDING', 'CLOSING'], ['PENDING', 'PAID'], ['PENDING', 'CLOSED'], ['CLOSING', 'PAID'], ['CLOSING', 'CLOSED'],
  ['STUCK', 'PENDING'], ['STUCK', 'CLOSED'], ['PAID', 'REFUNDING'], ['REFUNDING', 'CLOSED'],
];

const transitionSql = (ways: readonly (readonly [string, string])[]): string => `
  CREATE OR REPLACE FUNCTION check_order_transition() RETURNS trigger LANGUAGE plpgsql AS $$
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
    ELSIF NEW.version <> OLD.version + 1 OR (OLD.state, NEW.state) NOT IN (${ways.map(([from, to]) => `('${from}', '${to}')`).join(', ')}) THEN
      RAISE EXCEPTION 'order %: % (version %) cannot become % (version %)', OLD.rid, OLD.state, OLD.version, NEW.state, NEW.version
        USING ERRCODE = 'FG011';
    END IF;
    RETURN NEW;
  END $$`;
