import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { switchValues, type OrderNotice, type ReservationView } from '@floodgate/contracts';
import { Shutdown } from '@floodgate/platform';
import { callOperation } from '../testing/contract.js';
import { aSale, bearer, startGateway, type Gateway } from '../testing/gateway.fixture.js';
import { StandInClient } from '../testing/stand-in.client.js';
import { OrderNotices } from './order-notices.js';
import { streaming } from './reservation-streams.js';

const sale = aSale();
const rid = `${sale.saleId}.${'r'.repeat(22)}`;
const view = (version: number, changes: Partial<ReservationView> = {}): ReservationView => ({
  id: rid, saleId: sale.saleId, items: [], state: 'ORDERED', terminal: false, reason: null, orderId: rid, amount: null, payBy: null, number: 1, ahead: 0, version,
  updatedAt: '2026-01-01T00:00:00.000Z', pollAfterMs: 1, ...changes,
});

let gateway: Gateway;
let client: StandInClient;
let current: ReservationView;

beforeEach(async () => {
  client = new StandInClient().on('get-reservation', () => ({ ok: true, value: current }));
  gateway = await startGateway(client);
});
afterEach(() => gateway.close());

const notice = (version: number): OrderNotice => ({ ...view(version), rid, accountId: 'buyer-1', amount: 0, currency: 'GBP', payByMs: null, updatedAtMs: 0 });
const hint = (version: number): void => gateway.app.get(OrderNotices, { strict: false }).heard({ saleId: sale.saleId, orders: [notice(version)] });

/** Postgres has the next version, and a notice about it goes round. */
function move(next: ReservationView): void {
  current = next;
  hint(next.version);
}

async function open(headers: Record<string, string> = {}) {
  const response = await gateway.app.inject({ url: `/v1/reservations/${rid}/events`, headers: { ...bearer('buyer-1', 'buyer'), ...headers }, payloadAsStream: true });
  const stream = response.stream().setEncoding('utf8');
  let text = '';
  stream.on('data', (chunk: string) => { text += chunk; });
  const ended = new Promise<void>((resolve) => { stream.on('close', resolve); });
  return { response, stream, ended, text: () => text, ids: () => [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id)) };
}

/** Waits for what other turns of the event loop bring. */
async function eventually(check: () => void): Promise<void> {
  for (let turn = 0; turn < 500; turn++) {
    try {
      return check();
    } catch {
      // Not yet; the last failure is thrown below.
      await new Promise((resolve) => { setImmediate(resolve); });
    }
  }
  check();
}

describe('the stream of a reservation', () => {
  it('shows it at once and on every higher version, and ends with a terminal state', async () => {
    current = view(0, { state: 'QUEUED' });
    const stream = await open();
    expect([stream.response.statusCode, stream.response.headers['content-type'], stream.response.headers['x-request-id']]).toEqual([200, 'text/event-stream; charset=utf-8', expect.any(String)]);
    await eventually(() => expect(stream.ids()).toEqual([0]));
    move(view(1));
    await eventually(() => expect(stream.ids()).toEqual([0, 1]));
    hint(1);
    move(view(2, { state: 'PAID', terminal: true }));
    await stream.ended;
    expect(stream.ids()).toEqual([0, 1, 2]);
    expect(stream.text()).toContain(`id: 2\nevent: reservation\ndata: ${JSON.stringify(current)}\n\n`);
  });

  it('never shows a lower version, whatever is read', async () => {
    current = view(3);
    const stream = await open();
    await eventually(() => expect(stream.ids()).toEqual([3]));
    current = view(2);
    hint(4);
    await eventually(() => expect(client.count('get-reservation')).toBe(2));
    move(view(5, { terminal: true }));
    await stream.ended;
    expect(stream.ids()).toEqual([3, 5]);
  });

  it('shows nothing until a change to who has the current version', async () => {
    current = view(1);
    const stream = await open({ 'last-event-id': '1' });
    move(view(2, { terminal: true }));
    await stream.ended;
    expect(stream.ids()).toEqual([2]);
  });

  it.each(['0', 'x', '99', ''])('shows the current version to who has %j', async (id) => {
    current = view(1, { terminal: true });
    const stream = await open({ 'last-event-id': id });
    await stream.ended;
    expect(stream.ids()).toEqual([1]);
  });

  it('ends at once for who has the terminal state', async () => {
    current = view(4, { terminal: true });
    const stream = await open({ 'last-event-id': '4' });
    await stream.ended;
    expect(stream.text()).toBe('');
  });

  it('catches a change between listening and the first read', async () => {
    let release: () => void = () => undefined;
    client.on('get-reservation', () => new Promise((resolve) => { release = () => resolve({ ok: true, value: current }); }));
    current = view(1);
    const opening = open();
    await eventually(() => expect(client.count('get-reservation')).toBe(1));
    hint(2);
    release();
    client.on('get-reservation', () => ({ ok: true, value: view(2, { terminal: true }) }));
    const stream = await opening;
    await stream.ended;
    expect(stream.ids()).toEqual([1, 2]);
  });

  it('beats, and reads what no hint told', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'performance', 'nextTick', 'queueMicrotask', 'Date'] });
    try {
      current = view(1);
      const stream = await open();
      current = view(2);
      await jest.advanceTimersByTimeAsync(streaming.heartbeatMs);
      await eventually(() => expect([stream.text().includes(': heartbeat\n\n'), stream.ids()]).toEqual([true, [1, 2]]));
      client.fail('get-reservation', 'TIMEOUT');
      await jest.advanceTimersByTimeAsync(streaming.heartbeatMs);
      client.on('get-reservation', () => ({ ok: true, value: view(3, { terminal: true }) }));
      await jest.advanceTimersByTimeAsync(streaming.heartbeatMs);
      await eventually(() => expect(stream.ids()).toEqual([1, 2, 3]));
    } finally {
      jest.useRealTimers();
    }
  });

  it('ends when the gateway stops, and no other begins there', async () => {
    current = view(1);
    const stream = await open();
    await gateway.app.get(Shutdown, { strict: false }).run('intake');
    await stream.ended;
    const refused = await callOperation(gateway.app, 'streamReservation', { path: { id: rid }, headers: bearer('buyer-1', 'buyer') });
    expect(refused.json.code).toBe('UNAVAILABLE');
  });

  it('is refused as a problem where there is nothing to follow', async () => {
    client.on('get-reservation', () => ({ ok: false, code: 'NOT_FOUND', detail: '' })).on('find-reservation', () => ({ found: null, sure: true }));
    expect((await callOperation(gateway.app, 'streamReservation', { path: { id: rid }, headers: bearer('buyer-1', 'buyer') })).json.code).toBe('NOT_FOUND');
  });

  it('is forgotten when the client goes, and bounded for each account', async () => {
    current = view(1);
    const streams = await Promise.all(Array.from({ length: switchValues(false)['streams.per-account-max'] }, () => open()));
    const one = () => callOperation(gateway.app, 'streamReservation', { path: { id: rid }, headers: bearer('buyer-1', 'buyer') });
    expect((await one()).json).toMatchObject({ code: 'RATE_LIMITED', scope: 'account' });
    streams[0]?.stream.destroy();
    streams[1]?.response.raw.res.destroy();
    await eventually(() => expect(streams[1]?.stream.destroyed).toBe(true));
    move(view(2, { terminal: true }));
    await Promise.all(streams.map(({ ended }) => ended));
    expect((await one()).status).toBe(200);
  });
});
