import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { mends, type Mend, type SaleDocument } from '@floodgate/contracts';
import { eventually } from '@floodgate/platform/testing';
import { driftKinds, type DriftKind } from '../../apps/order/src/reconcile/compare.js';
import { TwoServices } from './two-services.js';

jest.setTimeout(240_000);

const longAgoMs = 120_000;
/** However slow the machine is, it stays young. */
const justNowMs = -600_000;
let at: TwoServices;
beforeAll(async () => { at = await TwoServices.start(); }, 120_000);
afterAll(() => at?.stop());

interface Case {
  kind: DriftKind;
  mend: Mend;
  /** Makes Redis and Postgres differ, after they were the same; returns what must be listed, `kind subject mend` each. */
  plant: (sale: SaleDocument) => Promise<string[]>;
  lanes?: number;
}

const available = (sale: SaleDocument, mend: Mend): string => `available ${sale.items[0]!.itemId} ${mend}`;

/** Every way to differ, and in each every way to mend it, made in real records. */
const cases: Record<string, Case> = {
  'a reservation whose message was lost': {
    kind: 'no-order', mend: 'republish',
    plant: async (sale) => [`no-order ${await at.loseMessage(sale, longAgoMs)} republish`, available(sale, 'with-others')],
  },
  'a reservation that was made just now': {
    kind: 'no-order', mend: 'wait',
    plant: async (sale) => [`no-order ${await at.loseMessage(sale, justNowMs)} wait`, available(sale, 'with-others')],
  },
  'a reservation that Postgres has spoken of and forgotten': {
    kind: 'no-order', mend: 'operator',
    plant: async (sale) => {
      const rid = await at.loseMessage(sale, longAgoMs);
      await at.rewrite(sale, rid, { version: 2 });
      return [`no-order ${rid} operator`, available(sale, 'with-others')];
    },
  },
  'a released order of which Redis was not told': {
    kind: 'held-in-redis', mend: 'resend',
    plant: async (sale) => {
      const rid = await at.buy(sale);
      await at.settled(sale);
      const then = await at.picture(sale);
      await at.close(sale, rid);
      await at.settled(sale);
      await at.forgetSince(sale, then);
      return [`held-in-redis ${rid} resend`, available(sale, 'with-others')];
    },
  },
  'a released order that Redis keeps under the same version': {
    kind: 'held-in-redis', mend: 'reload',
    plant: async (sale) => {
      const rid = await at.buy(sale);
      await at.close(sale, rid);
      await at.settled(sale);
      await at.rewrite(sale, rid, { holds: true });
      return [`held-in-redis ${rid} reload`, available(sale, 'with-others')];
    },
  },
  'an order whose units Redis has given away': {
    kind: 'held-in-postgres', mend: 'resend',
    plant: async (sale) => {
      const rid = await at.buy(sale);
      await at.settled(sale);
      await at.rewrite(sale, rid, { holds: false, version: 0 });
      return [`held-in-postgres ${rid} resend`, available(sale, 'with-others')];
    },
  },
  'an order whose units Redis has given away under the same version': {
    kind: 'held-in-postgres', mend: 'reload',
    plant: async (sale) => {
      const rid = await at.buy(sale);
      await at.settled(sale);
      await at.rewrite(sale, rid, { holds: false });
      return [`held-in-postgres ${rid} reload`, available(sale, 'with-others')];
    },
  },
  'an order that Redis has forgotten': {
    kind: 'not-in-redis', mend: 'resend',
    plant: async (sale) => {
      const then = await at.picture(sale);
      const rid = await at.buy(sale);
      await at.settled(sale);
      await at.forgetSince(sale, then);
      return [`not-in-redis ${rid} resend`, available(sale, 'with-others')];
    },
  },
  'units that were added and Redis was not told of': {
    kind: 'available', mend: 'resend',
    plant: async (sale) => {
      const then = await at.picture(sale);
      const ask = { actor: { accountId: 'o-1', roles: ['operator'] }, saleId: sale.saleId, itemId: sale.items[0]!.itemId, key: 'more', delta: 3, reason: 'more', nowMs: Date.now() };
      expect(await at.order.service.client.ask('change-stock', ask, { timeoutMs: 30_000 })).toMatchObject({ ok: true });
      await at.settled(sale);
      await at.forgetSince(sale, then);
      return [available(sale, 'resend')];
    },
  },
  'a counter that has lost count': {
    kind: 'available', mend: 'recount',
    plant: async (sale) => {
      await at.redis.hincrby(at.keys(sale).stock, sale.items[0]!.itemId, 2);
      return [available(sale, 'recount')];
    },
  },
  'a reservation in two lanes': {
    kind: 'in-two-lanes', mend: 'reload', lanes: 2,
    plant: async (sale) => {
      const rid = await at.buy(sale, 0);
      await at.settled(sale);
      const record = (await at.redis.hget(at.keys(sale, 0).resv, rid))!;
      await at.redis.multi().hset(at.keys(sale, 1).resv, rid, record).hincrby(at.keys(sale, 1).stock, sale.items[0]!.itemId, -1).exec();
      return [`in-two-lanes ${rid} reload`, available(sale, 'with-others')];
    },
  },
};

/** What the advice says to do where saying it again does not mend it. */
const follow: Partial<Record<Mend, (sale: SaleDocument, lanes: number[]) => Promise<unknown>>> = {
  recount: () => at.redis.script('FLUSH'),
  reload: (sale, lanes) => at.redis.del(...lanes.flatMap((lane) => Object.values(at.keys(sale, lane)))),
};

const listed = (found: { differences: { kind: string; subject: string; mend: string }[] }): string[] => found.differences.map(({ kind, subject, mend }) => `${kind} ${subject} ${mend}`);
const everything = async (sale: SaleDocument): Promise<unknown> => [
  await Promise.all(Array.from({ length: sale.lanes }, (_, lane) => at.picture(sale, lane))),
  await at.order.database.query('SELECT * FROM orders WHERE sale_id = $1 ORDER BY rid', [sale.saleId]),
  await at.order.database.query('SELECT * FROM lane_item WHERE sale_id = $1 ORDER BY lane, item_id', [sale.saleId]),
  await at.order.database.query('SELECT * FROM ledger WHERE sale_id = $1 ORDER BY lane, seq', [sale.saleId]),
];
const acts = (sale: SaleDocument): object[] => at.order.service.heard.filter(({ name, body }) => name === 'admin.acted' && body.subject === sale.saleId && body.action === 'reconcile').map(({ body }) => body);

describe('reconciling a sale', () => {
  it('has a case of every kind of difference, and of every way to mend one that can be made', () => {
    expect(new Set(Object.values(cases).map(({ kind }) => kind))).toEqual(new Set(driftKinds));
    expect(new Set([...Object.values(cases).map(({ mend }) => mend), 'with-others'])).toEqual(new Set(Object.keys(mends)));
  });

  it.each(Object.entries(cases))('%s is listed, mended as far as saying it again goes, and then there is nothing left', async (_name, { kind, mend, plant, lanes = 1 }) => {
    const sale = await at.sale({ lanes });
    await at.buy(sale);
    await at.settled(sale);
    const expected = await plant(sale);
    const planted = await everything(sale);
    const found = await at.list(sale);
    expect(listed(found)).toEqual(expected);
    expect(found.mended).toEqual([]);
    expect(found.differences[0]).toMatchObject({ kind, mend, advice: mends[mend], redis: expect.any(String), postgres: expect.any(String) });
    expect(await everything(sale)).toEqual(planted);

    const fixed = await at.fix(sale);
    if (mend === 'republish' || mend === 'resend') {
      expect(fixed).toMatchObject({ mended: [{ kind, mend }], differences: [] });
    } else {
      expect([fixed.mended, listed(fixed)]).toEqual([[], expected]);
      expect(await everything(sale)).toEqual(planted);
      await follow[mend]?.(sale, found.differences.flatMap(({ kind: of, lane }) => (of === kind ? [lane!] : [])));
      if (!follow[mend]) return;
    }
    await at.settled(sale);
    const mended = await everything(sale);
    expect(await at.fix(sale)).toMatchObject({ mended: [], differences: [] });
    expect(await everything(sale)).toEqual(mended);
  });

  it('who mends is on record, with the reason, what was found and what was sent, and so is who finds nothing to mend', async () => {
    const sale = await at.sale();
    const rid = await at.loseMessage(sale, longAgoMs);
    expect(await at.fix(sale)).toMatchObject({ mended: [{ subject: rid }], differences: [] });
    const first = { accountId: 'o-reconcile', reason: 'a test', before: { differences: { 'no-order': 1, available: 1 } }, after: { resend: { count: 0 }, republish: { count: 1, subjects: [rid] } } };
    await eventually(() => expect(acts(sale)).toMatchObject([first]), 60_000);
    await at.fix(sale);
    await eventually(() => expect(acts(sale)).toMatchObject([first, { before: { differences: {} }, after: { resend: { count: 0 }, republish: { count: 0 } } }]), 60_000);
  });

  it('after a mending what Postgres says next still counts', async () => {
    const sale = await at.sale();
    const rid = await at.buy(sale);
    await at.settled(sale);
    await at.rewrite(sale, rid, { holds: false, version: 0 });
    expect(await at.fix(sale)).toMatchObject({ mended: [{ kind: 'held-in-postgres' }], differences: [] });
    await at.close(sale, rid);
    await at.settled(sale);
    expect(await at.redis.hget(at.keys(sale).stock, sale.items[0]!.itemId)).toBe('10');
  });

  it('mends while the sale sells, closes and mends itself, and does no harm', async () => {
    const sale = await at.sale({}, 60);
    const [first, lost] = [await at.buy(sale), await at.loseMessage(sale, longAgoMs)];
    const selling = Array.from({ length: 12 }, async () => {
      const rid = await at.buy(sale);
      await at.close(sale, rid);
    });
    const paying = at.buy(sale).then((rid) => at.pay(sale, rid));
    const fixes = Array.from({ length: 4 }, () => at.fix(sale));
    await Promise.all([...selling, paying, ...fixes, at.close(sale, first)]);
    await at.fix(sale);
    await at.settled(sale);
    expect(await at.order.orders.find(lost)).toMatchObject({ state: 'PENDING' });
    expect(await at.order.database.query('SELECT held, sold, allotment FROM lane_item WHERE sale_id = $1', [sale.saleId])).toEqual([{ held: 1, sold: 1, allotment: 60 }]);
    expect(await at.redis.hget(at.keys(sale).stock, sale.items[0]!.itemId)).toBe('58');
  });

  it('seckill publishes again what is overdue, and nothing else', async () => {
    const sale = await at.sale();
    const [young, old, spoken] = [await at.loseMessage(sale, justNowMs), await at.loseMessage(sale, longAgoMs), await at.buy(sale)];
    expect(await at.order.service.client.ask('republish-reservations', { saleId: sale.saleId, lane: 0, rids: [young, old, spoken, `${sale.saleId}.unknown`] })).toEqual({ ok: true, value: { republished: [old] } });
    await eventually(async () => expect(await at.order.orders.find(old)).not.toBeNull(), 60_000);
    expect(await at.order.orders.find(young)).toBeNull();
  });

  it('knows no sale that was never approved, and says so where Redis cannot be read', async () => {
    const ask = (saleId: string) => at.order.service.client.ask('reconcile-sale', { saleId, fix: null }, { timeoutMs: 60_000 });
    expect(await ask('Nothing')).toMatchObject({ ok: false, code: 'NOT_FOUND' });
    const sale = await at.sale();
    at.server.signal('SIGSTOP');
    try {
      expect(await ask(sale.saleId)).toMatchObject({ ok: false, code: 'UNAVAILABLE' });
    } finally {
      at.server.signal('SIGCONT');
    }
    await at.settled(sale);
  });
});
