import type pg from 'pg';
import { expect } from '@jest/globals';
import { expectStatus, type Api, type Buyer } from './api.js';
import { eventually } from './eventually.js';

/** Sales in the states that operators meet: handed in, sold in part, with an order that cannot be processed. */
export class SaleStories {
  constructor(private readonly api: Api, private readonly sql: pg.Client, private readonly patiently: { timeoutMs: number }) {}

  /** From now on no order of an account `poison…` is written, while the table `public.poison` says so. */
  async poison(): Promise<void> {
    await this.sql.query(`
      CREATE TABLE public.poison AS SELECT true AS active;
      GRANT SELECT ON public.poison TO public;
      CREATE FUNCTION public.refuse_poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF (SELECT active FROM public.poison) THEN RAISE EXCEPTION 'poisoned account'; END IF; RETURN NEW; END $$;
      CREATE TRIGGER refuse_poison BEFORE INSERT OR UPDATE ON orders.orders FOR EACH ROW WHEN (NEW.account_id LIKE 'poison%' AND NEW.state = 'PENDING') EXECUTE FUNCTION public.refuse_poison();`);
  }

  async submittedSale(changes: Record<string, unknown> = {}): Promise<string> {
    const { id } = expectStatus(201, await this.api.admin('merchant', 'POST', '/sales', this.api.saleInput([{ title: 'Kettle', quota: 5 }], changes)));
    expectStatus(200, await this.api.admin('merchant', 'POST', `/sales/${id}/submit`));
    return id;
  }

  /** An open sale of three units, of which one is paid. */
  async soldSale(): Promise<{ id: string }> {
    const sale = await this.api.armedSale([{ quota: 3 }]);
    const buyer = this.api.buyer();
    const { reservationId } = expectStatus(202, await buyer.reserve(sale.id, [{ itemId: sale.items[0]!.id, quantity: 1 }]));
    await buyer.until(reservationId, ['ORDERED'], this.patiently.timeoutMs);
    await buyer.pay(reservationId);
    return sale;
  }

  /** An order whose message cannot be processed while the poison is active, and its dead letter. */
  async poisonedOrder(): Promise<{ letter: string; orderId: string; buyer: Buyer }> {
    const sale = await this.api.armedSale([{}]);
    const buyer = this.api.buyer(`poison-${sale.id}`);
    const { reservationId } = expectStatus(202, await buyer.reserve(sale.id, [{ itemId: sale.items[0]!.id, quantity: 1 }]));
    const letter = await eventually(async () => {
      const { items } = expectStatus(200, await this.api.admin('operator', 'GET', '/dead-letters?limit=100'));
      const mine = items.filter((one: { reservationIds: string[] }) => one.reservationIds.includes(reservationId));
      expect(mine).toHaveLength(1);
      return mine[0].id as string;
    }, this.patiently);
    return { letter, orderId: reservationId, buyer };
  }

  async letterRow(letter: string): Promise<{ state: string; changed: number }> {
    const { rows } = await this.sql.query<{ state: string; changed: number }>('SELECT state, extract(epoch FROM updated_at)::float8 AS changed FROM orders.dead_letter WHERE id = $1', [letter]);
    return rows[0]!;
  }
}
