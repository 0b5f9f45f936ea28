import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { OrderNotice } from '@floodgate/contracts';
import { Database } from '@floodgate/platform';
import { eventually, startService, type RunningService } from '@floodgate/platform/testing';
import { AppModule } from '../app.module.js';
import { Channel, type BuyerMessage } from '../channels/channel.js';
import { BuyerMessageStore } from './buyer-message.store.js';
import { DeliverJob } from './deliver.job.js';

/** Another way out beside the log: keeps what it delivers, and can be down. */
class KeptChannel extends Channel {
  readonly delivered: BuyerMessage[] = [];
  isDown = false;
  override async deliver(message: BuyerMessage): Promise<void> {
    if (this.isDown) throw new Error('the mail server is away');
    this.delivered.push(message);
  }
}

const channel = new KeptChannel();
let service: RunningService;
let serial = 0;
beforeAll(async () => {
  service = await startService((urls) => AppModule.with(urls), (builder) => builder.overrideProvider(Channel).useValue(channel));
});
afterAll(() => service.stop());
beforeEach(() => {
  channel.delivered.length = 0;
  channel.isDown = false;
});

const newOrder = (changes: Partial<OrderNotice> = {}): OrderNotice => ({
  rid: `Sale000001.${String(++serial).padStart(22, '0')}`, accountId: `buyer-${serial}`, version: 1, state: 'ORDERED', reason: null,
  amount: 199, currency: 'GBP', payByMs: Date.UTC(2026, 10, 27, 10), updatedAtMs: 0, items: [{ itemId: 'Sale000001-1', quantity: 1 }], number: serial, ...changes,
});
const publish = (name: 'order.created' | 'order.paid' | 'order.fulfilled' | 'order.closed', ...orders: OrderNotice[]) =>
  service.publisher.publish(name, { saleId: 'Sale000001', orders });
const toldTo = (rid: string) => channel.delivered.filter((message) => message.rid === rid).map((message) => message.body);
const stateOf = async (rid: string) =>
  (await service.get(Database).query<{ kind: string; state: string }>('SELECT kind, state FROM buyer_message WHERE rid = $1 ORDER BY version', [rid])).map((row) => `${row.kind} ${row.state}`);
const letClaimsPass = () => service.get(Database).query("UPDATE buyer_message SET claimed_until = clock_timestamp() WHERE state = 'pending'");

describe('telling buyers', () => {
  it('says what they have, that it is paid, and why it was released, each once', async () => {
    const paid = newOrder();
    const closed = newOrder();
    await publish('order.created', paid, closed);
    await publish('order.paid', { ...paid, version: 2, state: 'PAID' });
    await publish('order.fulfilled', { ...paid, version: 3, state: 'FULFILLED' });
    await publish('order.closed', { ...closed, version: 2, state: 'RELEASED', reason: 'payment-timeout' });
    await eventually(async () => expect(await stateOf(closed.rid)).toEqual(['created delivered', 'closed delivered']));
    await eventually(async () => expect(await stateOf(paid.rid)).toEqual(['created delivered', 'paid delivered', 'fulfilled delivered']));
    expect(toldTo(paid.rid)).toEqual(['You have it, pay by 2026-11-27T10:00:00.000Z: 1.99 GBP.', 'Paid: we have received 1.99 GBP.', 'It is yours: what you paid for has been handed over.']);
    expect(toldTo(closed.rid).at(-1)).toBe('Released, because the time to pay has passed.');
  });

  it('says it once however often the message comes, in one batch or later', async () => {
    const order = newOrder();
    const last = newOrder();
    await Promise.all([publish('order.created', order, order), publish('order.created', order), publish('order.created', order)]);
    await eventually(() => expect(toldTo(order.rid)).toHaveLength(1));
    await publish('order.created', order, last);
    await eventually(() => expect(toldTo(last.rid)).toHaveLength(1));
    expect(toldTo(order.rid)).toHaveLength(1);
  });

  it('keeps old news to itself when later ones are known', async () => {
    const order = newOrder();
    await publish('order.closed', { ...order, version: 2, state: 'RELEASED', reason: 'sale-withdrawn' });
    await eventually(async () => expect(await stateOf(order.rid)).toEqual(['closed delivered']));
    await publish('order.created', order);
    await eventually(async () => expect(await stateOf(order.rid)).toEqual(['created superseded', 'closed delivered']));
    expect(toldTo(order.rid)).toHaveLength(1);
  });
});

describe('what was kept but not delivered', () => {
  const job = () => service.get(DeliverJob);

  it('is delivered by the job once its deliverer must be dead', async () => {
    const order = newOrder();
    // A process that dies after the commit has done exactly this.
    await service.get(BuyerMessageStore).add([{ rid: order.rid, kind: 'created', accountId: order.accountId, version: 1, body: 'You have it.' }]);
    await job().deliverPending();
    expect(toldTo(order.rid)).toEqual([]);
    await letClaimsPass();
    await job().deliverPending();
    await eventually(async () => expect(await stateOf(order.rid)).toEqual(['created delivered']));
    expect(toldTo(order.rid)).toEqual(['You have it.']);
  });

  it('stays pending while the channel is down, without holding up the queue', async () => {
    channel.isDown = true;
    const orders = [newOrder(), newOrder()];
    await publish('order.created', ...orders);
    await eventually(async () => expect(await stateOf(orders[1]!.rid)).toEqual(['created pending']));
    channel.isDown = false;
    const other = newOrder();
    await publish('order.created', other);
    await eventually(() => expect(toldTo(other.rid)).toHaveLength(1));
    await letClaimsPass();
    await job().deliverPending();
    await eventually(() => expect(orders.map(({ rid }) => toldTo(rid).length)).toEqual([1, 1]));
  });

  it('is taken by one of several that look', async () => {
    const orders = Array.from({ length: 40 }, () => newOrder());
    await service.get(BuyerMessageStore).add(orders.map((order) => ({ rid: order.rid, kind: 'created', accountId: order.accountId, version: 1, body: 'x' })));
    await letClaimsPass();
    await Promise.all([job().deliverPending(), job().deliverPending(), job().deliverPending()]);
    await eventually(() => expect(channel.delivered.map((message) => message.rid).sort()).toEqual(orders.map((order) => order.rid).sort()));
  });
});
