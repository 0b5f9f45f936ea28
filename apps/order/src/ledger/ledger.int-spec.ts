import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sqlState, type Database } from '@floodgate/platform';
import { PurchaseFixture } from '../support/purchase.fixture.js';
import { PostgresRecordsStore } from '../reconcile/postgres-records.store.js';

let at: PurchaseFixture;
beforeAll(async () => {
  at = await PurchaseFixture.start();
});
afterAll(() => at.drop());

const failure = (database: Database, statement: string) => database.query(statement).then(() => 'accepted', (error: unknown) => sqlState(error));

describe('the ledger', () => {
  it.each(['UPDATE ledger SET quantity = 5', 'DELETE FROM ledger', 'TRUNCATE ledger', 'DELETE FROM inventory_change'])('is append-only: %s', async (statement) => {
    await at.place(await at.sale(), []);
    expect(await failure(at.database, statement)).toBe('FG010');
  });

  it('has each entry of an operation once, whoever repeats it', async () => {
    const sale = await at.sale();
    const reservation = at.reservation(sale);
    await at.place(sale, [reservation]);
    expect(await failure(at.database, `INSERT INTO ledger (sale_id, lane, operation_id, item_id, entry, quantity, free_after, at)
      SELECT sale_id, lane, operation_id, item_id, entry, quantity, free_after, at FROM ledger WHERE operation_id = '${reservation.rid}'`)).toBe('23505');
  });

  it('says what was free after each entry', async () => {
    const sale = await at.sale({ items: [{ quota: 3 }] });
    const [a, b] = [at.reservation(sale), at.reservation(sale, { quantity: 2 })];
    await at.place(sale, [a, b]);
    await at.pay(sale, b.rid);
    await at.close(sale, [a.rid]);
    const rows = await at.database.query<{ text: string }>(`SELECT entry || ' ' || free_after AS text FROM ledger WHERE sale_id = $1 ORDER BY seq`, [sale]);
    expect(rows.map((row) => row.text)).toEqual(['STOCK_IN 3', 'HOLD 2', 'HOLD 0', 'SELL 0', 'RELEASE 1']);
  });

  it('adds up to the counters, the orders and the inventory after any commands in any order', async () => {
    const command = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant('place' as const), of: fc.array(fc.record({ buyer: fc.nat(5), item: fc.integer({ min: 1, max: 2 }), quantity: fc.integer({ min: 1, max: 3 }) }), { maxLength: 6 }) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('pay', 'close', 'closing', 'refund', 'again', 'bury' as const), of: fc.nat(30) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('park' as const), of: fc.array(fc.record({ buyer: fc.nat(5), item: fc.integer({ min: 1, max: 2 }), quantity: fc.constant(1) }), { maxLength: 2 }) }) });
    const records = new PostgresRecordsStore(at.database);
    await fc.assert(fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 25 }), async (commands) => {
      const sale = await at.sale({ items: [{ quota: 7, inventory: 6 }, { quota: 5, perAccount: 2 }], perAccount: 4 });
      const known: ReturnType<PurchaseFixture['reservation']>[] = [];
      const fresh = (wanted: { buyer: number; item: number; quantity: number }[]) => wanted.map(({ buyer, item, quantity }) => {
        known.push(at.reservation(sale, { accountId: `buyer-${buyer}`, items: [{ itemId: `${sale}-${item}`, quantity }] }));
        return known.at(-1)!;
      });
      for (const step of commands) {
        if (step.do === 'place') await at.place(sale, fresh(step.of));
        else if (step.do === 'park') await at.tx(async (tx) => (step.of.length > 0 ? at.saga.park(tx, sale, 0, fresh(step.of)) : null));
        else {
          const target = known[step.of % Math.max(1, known.length)];
          if (!target) continue;
          if (step.do === 'pay') await at.pay(sale, target.rid);
          if (step.do === 'close') await at.close(sale, [target.rid]);
          if (step.do === 'again') await at.place(sale, [target, target]);
          if (step.do === 'bury') await at.tx((tx) => at.saga.tombstone(tx, sale, 0, target, 'cancelled-by-buyer'));
          if (step.do === 'closing') await at.tx((tx) => at.orders.startClosing(tx, sale, [target.rid], 'payment-timeout'));
          if (step.do === 'refund') await at.tx((tx) => at.orders.startRefunding(tx, sale, [target.rid], 'sale-withdrawn'));
        }
      }
      const { items, contradictions, faults } = (await records.read(sale))!;
      expect({ contradictions, faults }).toEqual({ contradictions: [], faults: [] });
      for (const { itemId, allotment, held, sold, burned, ledger, orders } of items) {
        expect({ itemId, counters: ledger, orders }).toEqual({ itemId, counters: { allotment, held, sold, burned }, orders: { held, sold } });
        expect(held + sold + burned).toBeLessThanOrEqual(allotment);
      }
      const [counted] = await at.database.query(
        'SELECT (SELECT sum(entries) FROM lane_item WHERE sale_id = $1) AS counters, (SELECT count(*) FROM ledger WHERE sale_id = $1) AS ledger', [sale]);
      expect(counted!['counters']).toBe(counted!['ledger']);
    }), { numRuns: 20 });
  }, 60_000);
});
