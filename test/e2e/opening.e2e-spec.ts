import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Api, expectStatus } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { startPlatform, type Platform } from '../support/platform.js';

describe('promise: nothing is sold outside the window', () => {
  let platform: Platform;
  let api: Api;
  beforeAll(async () => {
    platform = await startPlatform();
    api = new Api(platform.run);
  });
  afterAll(() => platform?.stop());

  const nowMs = async () => Date.parse((await api.call('GET', '/v1/time')).body.now);

  it('opens and ends to the millisecond of the platform clock', async () => {
    const opensAtMs = (await nowMs()) + 10_000; // armed by then, also on a busy machine
    const closesAtMs = opensAtMs + 4_000;
    const sale = await api.armedSale([{ quota: 1000 }], { opensAt: new Date(opensAtMs).toISOString(), closesAt: new Date(closesAtMs).toISOString() });
    const items = [{ itemId: sale.items[0]!.id, quantity: 1 }];
    const accepted: number[] = [];
    const codes = new Set<string>();
    let entryToken = 'none-yet';
    for (let now = await nowMs(); now < closesAtMs + 300; now = await nowMs()) {
      const buyer = api.buyer('b-opening');
      const given = await api.call('POST', `/v1/sales/${sale.id}/entry-token`, { token: buyer.token });
      if (given.status === 200) entryToken = given.body.token;
      const answer = await buyer.reserve(sale.id, items, { entryToken });
      if (answer.status === 202) accepted.push(Date.parse(answer.body.judgedAt));
      else codes.add(answer.body.code);
      if (answer.body.code === 'SALE_NOT_OPEN') expect(now).toBeLessThan(opensAtMs);
      if (answer.body.code === 'SALE_ENDED') expect(await nowMs()).toBeGreaterThanOrEqual(closesAtMs);
    }
    expect(accepted.length).toBeGreaterThan(0);
    expect(Math.min(...accepted)).toBeGreaterThanOrEqual(opensAtMs);
    expect(Math.max(...accepted)).toBeLessThan(closesAtMs);
    expect([...codes].filter((code) => code !== 'ENTRY_TOKEN_INVALID').sort()).toEqual(['SALE_ENDED', 'SALE_NOT_OPEN']);
    expect(expectStatus(200, await api.admin('merchant', 'GET', `/sales/${sale.id}`)).state).toBe('ENDED');
  });

  it('a sale approved after its opening opens as soon as it is armed, one approved after its end not at all', async () => {
    expect((await api.armedSale([{}])).id).toBeTruthy();
    const past = api.saleInput([{}], { opensAt: new Date(Date.now() - 2000).toISOString(), closesAt: new Date(Date.now() + 1500).toISOString() });
    const draft = expectStatus(201, await api.admin('merchant', 'POST', '/sales', past));
    expectStatus(200, await api.admin('merchant', 'POST', `/sales/${draft.id}/submit`));
    await eventually(async () => expect(await nowMs()).toBeGreaterThan(Date.parse(draft.closesAt)));
    expect((await api.admin('approver', 'POST', `/sales/${draft.id}/approve`)).body).toMatchObject({ code: 'INVALID_TRANSITION' });
  });

  it('an open order stays payable after the sale was closed', async () => {
    const sale = await api.armedSale([{ quota: 1 }]);
    const buyer = api.buyer();
    const { reservationId } = expectStatus(202, await buyer.reserve(sale.id, [{ itemId: sale.items[0]!.id, quantity: 1 }]));
    expectStatus(200, await api.admin('operator', 'POST', `/sales/${sale.id}/close`));
    await buyer.until(reservationId, ['ORDERED']);
    expect(await buyer.pay(reservationId)).toMatchObject({ state: 'PAID' });
  });

  it('withdrawing a sale closes every open order and refunds every paid one', async () => {
    const sale = await api.armedSale([{ quota: 4 }]);
    const items = [{ itemId: sale.items[0]!.id, quantity: 1 }];
    const [paying, waiting] = [api.buyer(), api.buyer()];
    const paid = expectStatus(202, await paying.reserve(sale.id, items)).reservationId;
    const open = expectStatus(202, await waiting.reserve(sale.id, items)).reservationId;
    await paying.until(paid, ['ORDERED']);
    await paying.pay(paid);
    expect(expectStatus(200, await api.admin('operator', 'POST', `/sales/${sale.id}/withdraw`)).state).toBe('WITHDRAWN');
    expect(await waiting.until(open, ['RELEASED'])).toMatchObject({ reason: 'sale-withdrawn' });
    expect(await paying.until(paid, ['RELEASED'])).toMatchObject({ reason: 'sale-withdrawn' });
    await eventually(async () => {
      expect(await api.audit(sale.id)).toMatchObject({ verdict: 'clean', items: [{ held: 0, sold: 0, available: 4, redisAvailable: 4 }], payments: { refunded: 1 } });
    });
  });
});
