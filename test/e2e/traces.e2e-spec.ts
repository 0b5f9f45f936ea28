import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { Api, expectStatus } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.js';
import { startPlatform, type Platform } from '../support/platform.js';
import { measureTraceCost } from '../load/trace-cost.js';

const within = { timeoutMs: 120_000 };
/** Rounds of a comparison of what traces cost; it takes minutes, and prints a table. */
const costRounds = Number(process.env['DRILL_TRACES'] ?? 0);

describe('promise: one purchase can be followed through every service', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'traces-'));
  let collector: OtlpReceiver;
  let platform: Platform;
  let api: Api;
  let sale: { id: string; items: { id: string }[] };

  const loadedBy = (service: string): string => path.join(folder, service);
  const watched = (service: string) => ({ NODE_OPTIONS: `--import=${path.resolve(import.meta.dirname, '../support/loaded-modules.mjs')}`, LOADED_MODULES: loadedBy(service) });

  beforeAll(async () => {
    collector = await OtlpReceiver.start();
    const traced = { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_TRACES_SAMPLER_ARG: '1' };
    platform = await startPlatform({ serviceEnv: async () => ({
      gateway: { ...traced, ...watched('gateway') }, seckill: traced, order: traced, notification: traced, promotion: watched('promotion'),
    }) });
    api = new Api(platform.run);
    sale = await api.armedSale([{ quota: 1_000 }]);
  });
  afterAll(async () => {
    await platform?.stop();
    await collector?.stop();
    rmSync(folder, { recursive: true });
  });

  const one = () => [{ itemId: sale.items[0]!.id, quantity: 1 }];
  const rootOf = (rid: string): ReceivedSpan => {
    const root = collector.spans.find((span) => span.attributes['floodgate.rid'] === rid);
    if (!root) throw new Error(`no span of ${rid} yet`);
    return root;
  };

  it('as one tree of spans, from the request to the message that tells the buyer', async () => {
    const buyer = api.buyer();
    const key = randomUUID();
    const { reservationId } = expectStatus(202, await buyer.reserve(sale.id, one(), { key }));
    await buyer.until(reservationId, ['ORDERED'], within.timeoutMs);
    await eventually(() => {
      const root = rootOf(reservationId);
      const spans = collector.trace(root.traceId);
      expect(root).toMatchObject({ service: 'gateway', parentSpanId: '', attributes: { 'http.request.method': 'POST', 'http.response.status_code': '202' } });
      expect(spans.map(({ service, name }) => `${service}: ${name}`)).toEqual(expect.arrayContaining([
        'gateway: vector of attempts', 'gateway: ask reserve', 'seckill: answer reserve', 'seckill: reserve.lua', 'seckill: publish place-order', 'order: process order.place-order',
        'order: transaction', 'order: outbox-add', 'order: publish sync-stock', 'seckill: process seckill.sync-stock', 'seckill: sync.lua', 'order: publish order.created',
        'notification: process notification.tell-buyer', 'gateway: process gateway.events',
      ]));
      const ids = new Set(spans.map(({ spanId }) => spanId));
      expect(spans.filter((span) => span !== root && !ids.has(span.parentSpanId))).toEqual([]);
    }, within);
    for (const personal of [buyer.accountId, buyer.token, key, '127.0.0.1']) expect(collector.text).not.toContain(personal);
  });

  it('also where it travels in company: the vector stands in one trace and is linked with the others, both ways', async () => {
    const buyers = Array.from({ length: 12 }, () => api.buyer());
    const tokens = await Promise.all(buyers.map((buyer) => buyer.entryToken(sale.id)));
    await eventually(async () => {
      await Promise.all(buyers.map((buyer, index) => buyer.reserve(sale.id, one(), { entryToken: tokens[index]! })));
      const vector = collector.spans.find(({ name, links }) => name === 'vector of attempts' && links.length > 0);
      if (!vector) throw new Error('none has travelled in company yet');
      expect(vector.links).toHaveLength(Number(vector.attributes['floodgate.attempts']) - 1);
      for (const { traceId, spanId } of vector.links) {
        const attempt = collector.trace(traceId).find((span) => span.spanId === spanId);
        expect(attempt?.attributes['floodgate.rid']).toEqual(expect.any(String));
        expect(attempt?.links).toContainEqual(expect.objectContaining({ traceId: vector.traceId, spanId: vector.spanId }));
      }
    }, within);
  });

  it('and a service that does not trace loads nothing of it', () => {
    // The API alone comes with prom-client, whoever traces.
    const loaded = (service: string): string[] => readFileSync(loadedBy(service), 'utf8').split('\n').filter((url) => url !== '' && !url.includes('/@opentelemetry/api/'));
    expect(loaded('gateway')).toContainEqual(expect.stringContaining('/@opentelemetry/sdk-trace/'));
    expect(loaded('promotion')).toEqual([]);
  });

  it('by the client’s request id in every line about it', async () => {
    const requestId = `support-${randomUUID()}`;
    const postgres = new Client({ connectionString: platform.run.postgres.url });
    await postgres.connect();
    const buyer = api.buyer();
    const entryToken = await buyer.entryToken(sale.id);
    await postgres.query('ALTER TABLE orders.orders RENAME TO orders_away');
    try {
      // Held by Redis, with the broker; the order service fails at it, and so does reading it.
      const held = await api.call('POST', `/v1/sales/${sale.id}/reservations`, { token: buyer.token, key: randomUUID(), body: { entryToken, items: one() }, headers: { 'x-request-id': requestId } });
      expect([held.status, held.headers.get('x-request-id')]).toEqual([202, requestId]);
      await api.call('GET', '/v1/me/orders', { token: buyer.token, headers: { 'x-request-id': requestId } });
      await eventually(() => {
        expect(linesOf('order', requestId)).toEqual(expect.arrayContaining([expect.stringMatching(/place-order .* failed, attempt 1/), expect.stringMatching(/list-orders/)]));
        expect(linesOf('gateway', requestId)).toContainEqual(expect.stringMatching(/list-orders/));
      }, within);
    } finally {
      await postgres.query('ALTER TABLE orders.orders_away RENAME TO orders');
      await postgres.end();
    }
  });

  /** What a service has logged about this request. */
  function linesOf(service: string, requestId: string): string[] {
    const files = readdirSync(platform.logDir).filter((name) => name.startsWith(service));
    return files.flatMap((name) => readFileSync(path.join(platform.logDir, name), 'utf8').split('\n')).filter((line) => line.includes(requestId))
      .map((line) => JSON.parse(line) as { requestId?: string; msg: string }).filter((line) => line.requestId === requestId).map(({ msg }) => msg);
  }
});

if (costRounds > 0) {
  it('traces cost what the page says', async () => {
    const collector = await OtlpReceiver.start();
    try {
      const cost = await measureTraceCost(costRounds, collector.url);
      process.stdout.write(`processor time of a purchase, microseconds (median of ${costRounds} rounds)\n${Object.entries(cost).map(([kind, times]) => `${kind}: ${JSON.stringify(times)}\n`).join('')}`);
      expect(collector.spans.length).toBeGreaterThan(0);
    } finally {
      await collector.stop();
    }
  }, 1_800_000);
}
