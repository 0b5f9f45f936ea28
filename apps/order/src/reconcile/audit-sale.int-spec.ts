import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AuditView, SaleDocument } from '@floodgate/contracts';
import { Broker } from '@floodgate/platform';
import { eventually, MessagingHarness } from '@floodgate/platform/testing';
import { currency, OrderHarness, price, type Placed } from '../support/order.harness.js';
import { PretendSeckill, pretendLanes } from '../support/pretend.seckill.js';

let at: OrderHarness;
let seckill: MessagingHarness;
beforeAll(async () => {
  at = await OrderHarness.start();
  seckill = await (await MessagingHarness.start({ controllers: [PretendSeckill], namespace: at.service.get(Broker).names.namespace, service: 'seckill' })).ready();
}, 30_000);
afterAll(async () => {
  await seckill.close();
  await at.stop();
});

async function audit(saleId: string): Promise<AuditView> {
  const answer = await at.service.client.ask('audit-sale', { saleId });
  if (!answer.ok) throw new Error(answer.detail);
  return answer.value;
}

interface Scene {
  sale: SaleDocument;
  open: Placed;
  paid: Placed;
  closed: Placed;
  paymentId: string;
}

/** A sale with one order of each kind, settled in every record. */
async function scene(): Promise<Scene> {
  const sale = await at.sale({ limits: { perAccount: 3, perIp: null } });
  pretendLanes.set(sale.saleId, { allotments: new Map([[sale.items[0]!.itemId, 10]]), rows: new Map(), relayLength: 0 });
  const [open, paid, closed] = [await at.order(sale), await at.order(sale), await at.order(sale)];
  const paymentId = (await at.payment(paid)).paymentId;
  at.provider.payments.set(paymentId, { paymentId, orderId: paid.rid, amount: { amount: price, currency }, state: 'captured' });
  await at.database.transaction(async (tx) => {
    await at.saga.markPaid(tx, sale.saleId, paid.rid);
    await tx.query(`UPDATE payment SET state = 'CAPTURED', pays = true WHERE payment_id = $1`, [paymentId]);
    await at.saga.closeOrders(tx, sale.saleId, [closed.rid], 'payment-timeout');
  });
  await eventually(async () => expect((await audit(sale.saleId)).findings).toEqual([]));
  return { sale, open, paid, closed, paymentId };
}

/** Does harm that no code of ours can do: past the triggers and checks that stand in its way. */
async function forced(...statements: string[]): Promise<void> {
  await at.database.transaction(async (tx) => {
    await tx.query('SET LOCAL session_replication_role = replica');
    for (const statement of statements) await tx.query(statement);
  });
}

describe('the audit', () => {
  it('is clean where every record tells the same story', async () => {
    const { sale } = await scene();
    expect(await audit(sale.saleId)).toMatchObject({
      verdict: 'clean', saleId: sale.saleId, settling: 0, oversold: 0, lost: 0, duplicated: 0, unexplained: 0, redisEqualsPostgres: true, findings: [],
      items: [{ itemId: sale.items[0]!.itemId, quota: 10, available: 8, held: 1, sold: 1, burned: 0, redisAvailable: 8 }], payments: { captured: 1, refunded: 0 },
    });
  });

  it('knows no sale that was never approved', async () => {
    expect(await at.service.client.ask('audit-sale', { saleId: 'Nothing' })).toMatchObject({ ok: false, code: 'NOT_FOUND' });
  });

  const faults: Record<string, { harm: (at: Scene) => unknown; says: Partial<AuditView>; finding: RegExp }> = {
    'units promised beyond the quota': {
      harm: ({ sale }) => forced(`UPDATE sale_item SET quota = 1 WHERE sale_id = '${sale.saleId}'`), says: { oversold: 1 }, finding: /1 units promised beyond the quota of 1/,
    },
    'counters that are not the ledger': {
      harm: ({ sale }) => forced(`UPDATE lane_item SET held = held + 1 WHERE sale_id = '${sale.saleId}'`), says: { oversold: 0, redisEqualsPostgres: false }, finding: /held is 2, the ledger adds up to 1/,
    },
    'an order without its hold': {
      harm: ({ sale, open }) => forced(`DELETE FROM ledger WHERE sale_id = '${sale.saleId}' AND operation_id = '${open.rid}'`), says: { unexplained: 1 }, finding: /order PENDING of 1, held 0/,
    },
    'a hold without an order': {
      harm: ({ sale, open }) => forced(`DELETE FROM orders WHERE sale_id = '${sale.saleId}' AND rid = '${open.rid}'`), says: { unexplained: 1, lost: 1 }, finding: /order none of 0, held 1/,
    },
    'a hold that is open although its order is closed': {
      harm: ({ sale, closed }) => forced(`DELETE FROM ledger WHERE sale_id = '${sale.saleId}' AND operation_id = '${closed.rid}' AND entry = 'RELEASE'`),
      says: { unexplained: 1 }, finding: /order CLOSED of 1, held 1, sold 0, released 0/,
    },
    'a paid order without its sale': {
      harm: ({ sale, paid }) => forced(`DELETE FROM ledger WHERE sale_id = '${sale.saleId}' AND operation_id = '${paid.rid}' AND entry = 'SELL'`), says: { unexplained: 1 }, finding: /order PAID of 1, held 1, sold 0/,
    },
    'units held twice for one order': {
      harm: ({ sale, open }) => forced(`UPDATE ledger SET quantity = 2 WHERE sale_id = '${sale.saleId}' AND operation_id = '${open.rid}'`), says: { duplicated: 1 }, finding: /order PENDING of 1, held 2/,
    },
    'an acknowledged reservation that became nothing': {
      harm: ({ sale }) => {
        const ghost = at.reserved(sale);
        pretendLanes.get(sale.saleId)!.rows.set(ghost.rid, { ...ghost.reservation, version: 0, holds: true, settled: false });
      },
      says: { lost: 1, redisEqualsPostgres: false }, finding: /is reserved and has no order/,
    },
    'units that Redis keeps for a closed order': {
      harm: ({ sale, closed }) => { pretendLanes.get(sale.saleId)!.rows.get(closed.rid)!.holds = true; }, says: { lost: 0, redisEqualsPostgres: false }, finding: /holds units in Redis, its order does not/,
    },
    'an order that Redis has forgotten': {
      harm: ({ sale, open }) => { pretendLanes.get(sale.saleId)!.rows.delete(open.rid); }, says: { redisEqualsPostgres: false }, finding: /has an order and is not in Redis/,
    },
    'a payment that the provider does not know': {
      harm: ({ paymentId }) => { at.provider.payments.delete(paymentId); }, says: { unexplained: 1, payments: { captured: 0, refunded: 0 } }, finding: /the provider's book does not have its payment/,
    },
    'a capture that no order stands for': {
      harm: ({ open }) => { at.provider.payments.set('extra', { paymentId: 'extra', orderId: open.rid, amount: { amount: price, currency }, state: 'captured' }); },
      says: { unexplained: 1 }, finding: /no order stands for it/,
    },
    'a limit that has lost count': {
      harm: ({ sale, open }) => forced(`UPDATE account_usage SET units = 0 WHERE sale_id = '${sale.saleId}' AND account_id = '${open.accountId}'`), says: {}, finding: /an account uses 0 of the sale by its limit, but its orders hold 1/,
    },
    'inventory that has lost count': {
      harm: ({ sale }) => forced(`UPDATE inventory SET taken = 5 WHERE sku_id = 'sku-${sale.saleId}'`), says: {}, finding: /5 units taken, but lanes hold and have sold 2/,
    },
  };

  it.each(Object.entries(faults))('finds %s', async (_name, { harm, says, finding }) => {
    const made = await scene();
    await harm(made);
    const view = await audit(made.sale.saleId);
    at.provider.payments.delete('extra');
    expect(view).toMatchObject({ verdict: 'broken', settling: 0, ...says });
    expect(view.findings.join('\n')).toMatch(finding);
  });

  const unsettled: Record<string, { before: (at: Scene) => unknown; after?: () => unknown; open: RegExp }> = {
    'a reservation is in the relay': { before: ({ sale }) => { pretendLanes.get(sale.saleId)!.relayLength = 1; }, open: /reservations in the relay/ },
    'an order is being closed': {
      before: async ({ sale, open }) => {
        at.provider.away = true;
        await at.payment(open).catch(() => undefined); // the provider is away, the payment is written down
        await at.database.transaction((tx) => at.orders.startClosing(tx, sale.saleId, [open.rid], 'payment-timeout'));
      },
      after: () => { at.provider.away = false; }, open: /1 orders being closed/,
    },
    'the book cannot be read': { before: () => { at.provider.away = true; }, after: () => { at.provider.away = false; }, open: /book could not be read/ },
    'Redis cannot be read': { before: ({ sale }) => pretendLanes.delete(sale.saleId), open: /Redis could not be read/ },
  };

  it.each(Object.entries(unsettled))('does not know while %s', async (_name, { before, after, open }) => {
    const made = await scene();
    await before(made);
    const view = await audit(made.sale.saleId);
    await after?.();
    expect(view.verdict).toBe('unknown');
    expect(view.findings.join('\n')).toMatch(open);
  });
});
