import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Api, expectStatus, type Buyer } from '../support/api.js';
import { startPlatform, type Platform } from '../support/platform.js';

interface StreamEvent {
  id: string;
  event: string;
  data: any;
}

describe('promise: a buyer can follow what becomes of a reservation', () => {
  let platform: Platform;
  let api: Api;
  beforeAll(async () => {
    platform = await startPlatform();
    api = new Api(platform.run);
  });
  afterAll(() => platform?.stop());

  /** Reads a reservation's event stream until the server closes it; `onEvent` acts on each. */
  async function follow(buyer: Buyer, id: string, onEvent: (event: StreamEvent) => Promise<void> = async () => {}, lastEventId?: string): Promise<StreamEvent[]> {
    const response = await fetch(new URL(`/v1/reservations/${id}/events`, platform.run.gatewayUrl), { headers: { authorization: `Bearer ${buyer.token}`, ...(lastEventId ? { 'last-event-id': lastEventId } : {}) } });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, expect.stringMatching(/^text\/event-stream/)]);
    const events: StreamEvent[] = [];
    let rest = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      rest += chunk;
      for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
        const fields = Object.fromEntries(rest.slice(0, end).split('\n').filter((line) => !line.startsWith(':')).map((line) => line.split(/: (.*)/s).slice(0, 2)));
        rest = rest.slice(end + 2);
        if (!fields['data']) continue;
        const event = { id: fields['id'], event: fields['event'], data: JSON.parse(fields['data']) };
        events.push(event);
        await onEvent(event);
      }
    }
    return events;
  }

  it('streams each higher version, closes after the terminal state, and sends nothing to who knows it', async () => {
    const sale = await api.armedSale([{ quota: 1 }]);
    const buyer = api.buyer();
    const { reservationId: id } = expectStatus(202, await buyer.reserve(sale.id, [{ itemId: sale.items[0]!.id, quantity: 1 }]));
    const events = await follow(buyer, id, async (event) => {
      if (event.data.state === 'ORDERED') await buyer.pay(id);
    });
    expect(events.map((event) => event.data.state).filter((state) => state !== 'QUEUED')).toEqual(['ORDERED', 'PAID']);
    expect(events.every((event) => event.event === 'reservation' && event.id === String(event.data.version))).toBe(true);
    expect(events.map((event) => event.data.version)).toEqual([...new Set(events.map((event) => event.data.version))].sort((a, b) => a - b));
    expect(await follow(buyer, id, undefined, events.at(-1)!.id)).toEqual([]);
  });

  it('shows the same by polling, in lists and as an order, to the owner only', async () => {
    const sale = await api.armedSale([{ quota: 5 }]);
    const buyer = api.buyer();
    const itemId = sale.items[0]!.id;
    const { reservationId: id, statusUrl } = expectStatus(202, await buyer.reserve(sale.id, [{ itemId, quantity: 2 }]));
    expect(statusUrl).toBe(`/v1/reservations/${id}`);
    const reservation = await buyer.until(id, ['ORDERED']);
    expect(reservation).toMatchObject({ id, saleId: sale.id, items: [{ itemId, quantity: 2 }], terminal: false, reason: null, orderId: id, amount: { amount: 500, currency: 'GBP' }, ahead: 0 });
    expect(expectStatus(200, await api.call('GET', `/v1/orders/${id}`, { token: buyer.token }))).toMatchObject({ id, reservationId: id, state: 'ORDERED', items: [{ itemId, quantity: 2, price: { amount: 250, currency: 'GBP' } }] });
    expect(expectStatus(200, await api.call('GET', `/v1/me/reservations?saleId=${sale.id}`, { token: buyer.token })).items.map((one: any) => one.id)).toEqual([id]);
    expect(expectStatus(200, await api.call('GET', '/v1/me/orders', { token: buyer.token })).items.map((one: any) => one.id)).toEqual([id]);
    const stranger = api.buyer();
    for (const path of [`/v1/reservations/${id}`, `/v1/orders/${id}`, `/v1/reservations/${id}/events`]) {
      expect((await api.call('GET', path, { token: stranger.token })).body.code).toBe('NOT_FOUND');
    }
    expect((await stranger.cancel(id)).body.code).toBe('NOT_FOUND');
    expect((await stranger.startPayment(id)).body.code).toBe('NOT_FOUND');
  });

  it('shows a sale with what is left', async () => {
    const sale = await api.armedSale([{ quota: 3 }]);
    const buyer = api.buyer();
    expectStatus(202, await buyer.reserve(sale.id, [{ itemId: sale.items[0]!.id, quantity: 3 }]));
    const until = Date.now() + 1000;
    let shown = expectStatus(200, await api.call('GET', `/v1/sales/${sale.id}`));
    while (!shown.items[0].soldOut && Date.now() < until) shown = expectStatus(200, await api.call('GET', `/v1/sales/${sale.id}`));
    expect(shown).toMatchObject({ id: sale.id, state: 'OPEN', items: [{ remaining: 0, soldOut: true, quota: 3 }], asOf: expect.stringMatching(/Z$/) });
    const list = await api.call('GET', '/v1/sales?limit=100');
    expect(list.body.items.find((one: any) => one.id === sale.id)).toMatchObject({ state: 'OPEN' });
    expect(list.headers.get('etag')).toMatch(/^W\//);
    expect((await api.call('GET', '/v1/sales?limit=100', { headers: { 'if-none-match': list.headers.get('etag')! } })).status).toBe(304);
  });
});
