import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Reservation, SaleDocument } from '@floodgate/contracts';
import { Database, QueueInspector, type Transaction } from '@floodgate/platform';
import { eventually, TcpProxy, testUrl } from '@floodgate/platform/testing';
import { OrderHarness, type Placed } from '../support/order.harness.js';

jest.setTimeout(180_000);

let at: OrderHarness;
let proxy: TcpProxy;
/** Past the proxy, to see what Postgres really has. */
let direct: Database;
beforeAll(async () => {
  proxy = new TcpProxy(new URL(testUrl('TEST_DATABASE_URL')));
  const port = new URL(await proxy.start()).port;
  at = await OrderHarness.start(undefined, undefined, undefined, undefined, (databaseUrl) => {
    direct = new Database({ url: databaseUrl, schema: 'orders', applicationName: 'observer', connectionsMax: 2 });
    const url = new URL(databaseUrl);
    url.hostname = '127.0.0.1';
    url.port = port;
    return url.toString();
  });
}, 60_000);
afterAll(async () => {
  await direct.close();
  await at.stop();
  await proxy.stop();
});
beforeEach(() => heal());
afterEach(() => {
  jest.restoreAllMocks();
  heal();
});

function heal(): void {
  proxy.accept();
  proxy.release();
}

const publish = (sale: SaleDocument, reservations: Reservation[]) => at.service.publisher.publish('place-order', { saleId: sale.saleId, lane: 0, epoch: 1, reservations });
const waiting = async () => (await at.service.get(QueueInspector).queueDepths(['order.place-order']))['order.place-order'];
const isOrdered = ({ rid }: Placed) => eventually(async () => expect((await direct.query<{ state: string }>('SELECT state FROM orders WHERE rid = $1', [rid])).map(({ state }) => state)).toEqual(['PENDING']), 60_000);
const holds = ({ rid }: Placed) => direct.query<{ entry: string }>('SELECT entry FROM ledger WHERE operation_id = $1', [rid]);

/** Something happens between the judgement and its COMMIT, once. */
function beforeCommit(happens: (tx: Transaction) => Promise<void> | void): () => number {
  const place = at.saga.place.bind(at.saga);
  let judged = 0;
  jest.spyOn(at.saga, 'place').mockImplementation(async (tx, ...rest) => {
    const rows = await place(tx, ...rest);
    if (++judged === 1) await happens(tx);
    return rows;
  });
  return () => judged;
}

describe('the order service', () => {
  it('without its database takes no more messages, burns no attempt, and goes on by itself', async () => {
    const sale = await at.sale();
    const placed = Array.from({ length: 3 }, () => at.reserved(sale));
    proxy.refuse();
    for (const { reservation } of placed) await publish(sale, [reservation]);
    // All of them are back in their queue, and none is in a tier.
    await eventually(async () => expect(await waiting()).toEqual({ ready: 3, unsettled: 0 }), 30_000);
    const { names } = at.service.get(QueueInspector)['broker'];
    expect(await at.service.get(QueueInspector).ready(names.queue('order.place-order'))).toBe(3);
    proxy.accept();
    for (const one of placed) await isOrdered(one);
    expect(await direct.query('SELECT FROM dead_letter WHERE sale_id = $1', [sale.saleId])).toEqual([]);
  });

  it('whose answer to COMMIT is lost finds the order made, and makes no second one', async () => {
    const sale = await at.sale();
    const placed = at.reserved(sale);
    const judged = beforeCommit(() => proxy.hold());
    await publish(sale, [placed.reservation]);
    await isOrdered(placed);
    proxy.cut();
    proxy.release();
    await eventually(() => expect(judged()).toBeGreaterThan(1), 60_000);
    await eventually(async () => expect(await waiting()).toEqual({ ready: 0, unsettled: 0 }));
    expect(await holds(placed)).toEqual([{ entry: 'HOLD' }]);
    expect(await at.units(sale)).toEqual({ held: 1, sold: 0, free: 9 });
  });

  it('whose session the server ends before the COMMIT has made nothing, and makes it then', async () => {
    const sale = await at.sale();
    const placed = at.reserved(sale);
    const judged = beforeCommit(async (tx) => {
      const [session] = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      await direct.query('SELECT pg_terminate_backend($1)', [session!.pid]);
    });
    await publish(sale, [placed.reservation]);
    await isOrdered(placed);
    expect(judged()).toBeGreaterThan(1);
    expect(await holds(placed)).toEqual([{ entry: 'HOLD' }]);
  });
});
