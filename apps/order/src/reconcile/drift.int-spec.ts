import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { SaleDocument } from '@floodgate/contracts';
import { Broker, metrics } from '@floodgate/platform';
import { eventually, MessagingHarness } from '@floodgate/platform/testing';
import { OrderHarness, type Placed } from '../support/order.harness.js';
import { PretendSeckill, pretendLanes } from '../support/pretend.seckill.js';
import { AuditSale } from './audit-sale.js';
import { driftKinds } from './compare.js';
import { DriftJob } from './drift.job.js';

let at: OrderHarness;
let seckill: MessagingHarness;
beforeAll(async () => {
  at = await OrderHarness.start();
  seckill = await (await MessagingHarness.start({ controllers: [PretendSeckill], namespace: at.service.get(Broker).names.namespace, service: 'seckill' })).ready();
}, 60_000);
afterAll(async () => {
  await seckill.close();
  await at.stop();
});

interface Scene {
  sale: SaleDocument;
  open: Placed;
  closed: Placed;
}

/** The one live sale, with an open order and a closed one, the same in Redis and Postgres. */
async function scene(): Promise<Scene> {
  await at.database.query('UPDATE sale SET armed = false');
  const sale = await at.sale();
  pretendLanes.set(sale.saleId, { allotments: new Map([[sale.items[0]!.itemId, 10]]), rows: new Map(), relayLength: 0 });
  await at.database.query('UPDATE sale SET armed = true WHERE sale_id = $1', [sale.saleId]);
  const [open, closed] = [await at.order(sale), await at.order(sale)];
  await at.database.transaction((tx) => at.saga.closeOrders(tx, sale.saleId, [closed.rid], 'payment-timeout'));
  await eventually(async () => expect((await at.service.get(AuditSale).inspect(sale.saleId, false))!.result).toMatchObject({ differences: [], settling: 0 }));
  return { sale, open, closed };
}

/** A job of its own for each test, so that nothing of another is remembered; the service's own has the same eyes. */
const drift = async (job: DriftJob): Promise<Record<string, number>> => {
  await (job as unknown as { run: () => Promise<void> }).run();
  const text = await metrics.metrics();
  const lines = [...text.matchAll(/^(floodgate_drift\w*)(?:\{.*?kind="([\w-]+)".*?\}|\{.*?\})? (\S+)$/gm)];
  return Object.fromEntries(lines.map(([, name, kind, value]) => [kind ?? name!, Number(value)]));
};

const lane = ({ sale }: Scene) => pretendLanes.get(sale.saleId)!;
/** Every way to differ, planted by hand. `in-two-lanes` needs two lanes of one pretended sale, and is shown by the comparison itself. */
const planted: Record<Exclude<(typeof driftKinds)[number], 'in-two-lanes'>, (made: Scene) => void> = {
  'no-order': (made) => {
    const ghost = at.reserved(made.sale);
    lane(made).rows.set(ghost.rid, { ...ghost.reservation, version: 0, holds: true, settled: false });
  },
  'held-in-redis': (made) => { lane(made).rows.get(made.closed.rid)!.holds = true; },
  'held-in-postgres': (made) => { lane(made).rows.get(made.open.rid)!.holds = false; },
  'not-in-redis': (made) => { lane(made).rows.delete(made.open.rid); },
  'available': (made) => { lane(made).allotments.set(made.sale.items[0]!.itemId, 9); },
};

describe('the drift job', () => {
  it.each(Object.entries(planted))('shows %s, grows it older, and forgets it when it is gone', async (kind, plant) => {
    const made = await scene();
    const job = new DriftJob(at.service.get(AuditSale), at.service.get(DriftJob)['sales'], { onDrain: () => undefined } as never);
    expect(await drift(job)).toMatchObject({ [kind]: 0, floodgate_drift_oldest_seconds: 0, floodgate_drift_sales_unread: 0 });
    const genuine = { rows: structuredClone(lane(made).rows), allotments: structuredClone(lane(made).allotments) };
    plant(made);
    const first = await drift(job);
    expect(first).toMatchObject({ [kind]: 1, floodgate_drift_sales_unread: 0 });
    const again = await drift(job);
    expect(again[kind]).toBe(1);
    expect(again['floodgate_drift_oldest_seconds']).toBeGreaterThan(first['floodgate_drift_oldest_seconds']!);
    Object.assign(lane(made), genuine);
    expect(await drift(job)).toMatchObject({ [kind]: 0, floodgate_drift_oldest_seconds: 0 });
  });

  it('says nothing of what is under way, or cannot be read', async () => {
    const made = await scene();
    const job = new DriftJob(at.service.get(AuditSale), at.service.get(DriftJob)['sales'], { onDrain: () => undefined } as never);
    planted['not-in-redis'](made);
    lane(made).relayLength = 1;
    expect(await drift(job)).toMatchObject({ 'not-in-redis': 0, floodgate_drift_sales_unread: 1 });
    pretendLanes.delete(made.sale.saleId);
    expect(await drift(job)).toMatchObject({ 'not-in-redis': 0, floodgate_drift_sales_unread: 1 });
  });
});
