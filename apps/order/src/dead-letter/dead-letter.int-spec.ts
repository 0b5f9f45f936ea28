import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Actor, DeadLetterView, SaleDocument } from '@floodgate/contracts';
import { Broker, Publisher, type DeadLetter } from '@floodgate/platform';
import { eventually, withChannel } from '@floodgate/platform/testing';
import { OrderHarness, type Placed } from '../support/order.harness.js';
import { DeadLetterConsumer } from './dead-letter.consumer.js';
import { DeadLetterTimer } from './dead-letter.timer.js';

const actor: Actor = { accountId: 'operator-1', roles: ['operator'] };
const poison = 'poison';

let harness: OrderHarness;
beforeAll(async () => {
  harness = await OrderHarness.start();
  await harness.database.query(`
    CREATE FUNCTION refuse_poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'poisoned account'; END $$;
    CREATE TRIGGER refuse_poison BEFORE INSERT OR UPDATE ON orders FOR EACH ROW WHEN (NEW.account_id LIKE '${poison}%' AND NEW.state = 'PENDING') EXECUTE FUNCTION refuse_poison();`);
});
afterAll(() => harness.stop());

const client = () => harness.service.client;
const cured = (on: boolean) => harness.database.query(`ALTER TABLE orders ${on ? 'DISABLE' : 'ENABLE'} TRIGGER refuse_poison`);
const body = (...placed: Placed[]) => ({ saleId: placed[0]!.saleId, lane: 0, epoch: 1, reservations: placed.map((one) => one.reservation) });
const poisoned = (sale: SaleDocument) => harness.reserved(sale, `${poison}-${randomUUID()}`);

/** As the platform hands letters over. */
const letter = (content: unknown, changes: Partial<DeadLetter> = {}): DeadLetter => ({
  queue: 'order.place-order', name: 'place-order', messageId: randomUUID(), body: Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content)), headers: { v: 1 },
  reason: 'attempts-exhausted', firstError: 'Error: first', lastError: 'Error: last', attempts: 8, occurredAtMs: Date.now(), ...changes,
});
const keep = (...letters: DeadLetter[]) => harness.service.get(DeadLetterConsumer).keep(letters);

async function letters(): Promise<DeadLetterView[]> {
  const outcome = await client().ask('list-dead-letters', { limit: 100, cursor: null });
  if (!outcome.ok) throw new Error(outcome.detail);
  return outcome.value.items;
}
const lettersOf = async ({ rid }: Placed) => (await letters()).filter((one) => one.reservationIds.includes(rid));
async function kept(content: unknown, changes: Partial<DeadLetter> = {}): Promise<DeadLetterView> {
  const messageId = randomUUID();
  await keep(letter(content, { messageId, ...changes }));
  const [row] = await harness.database.query<{ id: string }>('SELECT id FROM dead_letter WHERE message_id = $1', [changes.messageId ?? messageId]);
  const outcome = await client().ask('get-dead-letter', { id: row!.id });
  if (!outcome.ok) throw new Error(outcome.detail);
  return outcome.value;
}
const replay = (id: string, dryRun = false) => client().ask('replay-dead-letter', { actor, id, dryRun });
async function foreseen(id: string): Promise<string> {
  const outcome = await replay(id, true);
  if (!outcome.ok) throw new Error(outcome.detail);
  expect(outcome.value).toMatchObject({ id, dryRun: true });
  return outcome.value.outcome;
}
const discard = (id: string) => client().ask('discard-dead-letter', { actor, id, reason: 'cannot be repaired' });

describe('a message that always fails', () => {
  it('becomes one letter with its history, its order parked, its neighbours ordered', async () => {
    const sale = await harness.sale();
    const bad = poisoned(sale);
    const good = [harness.reserved(sale), harness.reserved(sale)] as const;
    await harness.service.publisher.publish('place-order', body(good[0], bad, good[1]));
    await eventually(async () => {
      for (const one of good) expect(await harness.state(one)).toBe('PENDING');
    });
    const found = await eventually(async () => {
      const mine = await lettersOf(bad);
      expect(mine).toHaveLength(1);
      return mine[0]!;
    });
    expect(found).toMatchObject({ queue: 'order.place-order', message: 'place-order', state: 'waiting', attempts: 8, reason: 'attempts-exhausted', reservationIds: [bad.rid] });
    expect(found.lastError).toContain('poisoned account');
    expect(await harness.state(bad)).toBe('STUCK');
    expect(await harness.units(sale)).toEqual({ held: 3, sold: 0, free: 7 });
  });

  it('is processed when it is replayed after its cause is gone, and can then be paid', async () => {
    const sale = await harness.sale();
    const placed = poisoned(sale);
    const { id } = await kept(body(placed));
    expect(await foreseen(id)).toMatch(/^would-die-again: .*poisoned account/);
    await cured(true);
    expect(await foreseen(id)).toBe('would-be-processed: 1 STUCK to PENDING');
    expect(await harness.state(placed)).toBe('STUCK');
    expect(await harness.units(sale)).toEqual({ held: 1, sold: 0, free: 9 });
    expect(await replay(id)).toEqual({ ok: true, value: { id, dryRun: false, outcome: 'republished' } });
    await eventually(async () => expect(await harness.state(placed)).toBe('PENDING'));
    await cured(false);
    expect(await harness.entries(placed)).toEqual(['HOLD']);
    expect(await client().ask('get-dead-letter', { id })).toMatchObject({ ok: true, value: { state: 'replayed' } });
    for (const again of [await replay(id), await replay(id, true)]) expect(again).toMatchObject({ ok: true, value: { outcome: 'already-replayed' } });
    expect(await discard(id)).toMatchObject({ ok: true, value: { state: 'replayed' } });
    expect(await harness.state(placed)).toBe('PENDING');
    await cured(true);
    expect(await harness.startPayment(placed)).toMatchObject({ ok: true, value: { status: 201 } });
    await cured(false);
  });

  it('that is replayed too early waits again, as the same letter', async () => {
    const sale = await harness.sale();
    const placed = poisoned(sale);
    const first = await kept(body(placed));
    expect(await replay(first.id)).toMatchObject({ ok: true });
    await eventually(async () => expect(await client().ask('get-dead-letter', { id: first.id })).toMatchObject({ ok: true, value: { state: 'waiting', lastError: expect.stringContaining('poisoned') } }));
    expect(await lettersOf(placed)).toHaveLength(1);
    expect(await harness.state(placed)).toBe('STUCK');
    expect(await discard(first.id)).toMatchObject({ ok: true });
    expect(await harness.state(placed)).toBe('CLOSED order-rejected');
  });

  it('goes back to its own queue alone, under its own id, with the version its sender wrote', async () => {
    const { names } = harness.service.get(Broker);
    const sent = letter({ some: 'body' }, { queue: 'promotion.note-armed', name: 'sale.armed', headers: { v: 7 } });
    await harness.service.get(Publisher).replay(sent);
    const found = await withChannel((channel) => channel.get(names.queue('promotion.note-armed'), { noAck: true }));
    expect(found && [found.content, found.properties.messageId, found.properties.type, found.properties.headers?.v, found.properties.headers?.attempt]).toEqual([sent.body, sent.messageId, 'sale.armed', 7, 1]);
  });
});

describe('discard', () => {
  it('closes the parked order and gives its unit back, once', async () => {
    const sale = await harness.sale();
    const placed = poisoned(sale);
    const { id } = await kept(body(placed));
    const outcomes = await Promise.all([discard(id), discard(id), discard(id)]);
    expect(outcomes.map((outcome) => (outcome.ok ? outcome.value.state : outcome.code))).toEqual(['discarded', 'discarded', 'discarded']);
    expect(await harness.state(placed)).toBe('CLOSED order-rejected');
    expect(await harness.entries(placed)).toEqual(['HOLD', 'RELEASE']);
    expect(await harness.units(sale)).toEqual({ held: 0, sold: 0, free: 10 });
    expect(await replay(id)).toMatchObject({ ok: true, value: { outcome: 'already-discarded' } });
    expect(await harness.database.query('SELECT actor, discard_reason AS reason FROM dead_letter WHERE id = $1', [id])).toEqual([{ actor: 'operator-1', reason: 'cannot be repaired' }]);
    await eventually(() => {
      const rows = harness.service.heard.flatMap(({ name, body: told }) => (name === 'sync-stock' ? told.rows : [])).filter((row) => row.rid === placed.rid);
      expect(rows.map((row) => [row.version, row.holds])).toEqual([[1, true], [2, false]]);
    });
  });

  it('leaves an order alone that went on its way meanwhile', async () => {
    const sale = await harness.sale();
    const [stuck, fine] = [poisoned(sale), await harness.order(sale)];
    const { id } = await kept(body(stuck, fine));
    expect(await discard(id)).toMatchObject({ ok: true });
    expect([await harness.state(stuck), await harness.state(fine)]).toEqual(['CLOSED order-rejected', 'PENDING']);
  });

  it('happens by itself when nobody has decided for half an hour', async () => {
    const sale = await harness.sale();
    const [spoken, forsaken] = [poisoned(sale), poisoned(sale)];
    const { id } = await kept(body(spoken));
    const [row] = await harness.database.query<{ minutes: number }>('SELECT (extract(epoch FROM close_at - created_at) / 60)::float8 AS minutes FROM dead_letter WHERE id = $1', [id]);
    expect(row!.minutes).toBeCloseTo(30, 0);
    await harness.database.transaction((tx) => harness.saga.park(tx, sale.saleId, 0, [forsaken.reservation]));
    await harness.database.query('UPDATE dead_letter SET close_at = clock_timestamp() WHERE id = $1', [id]);
    await harness.database.query(`UPDATE orders SET updated_at = clock_timestamp() - interval '31 minutes' WHERE rid = $1`, [forsaken.rid]);
    await harness.service.get(DeadLetterTimer).tick();
    await eventually(async () => expect([await harness.state(spoken), await harness.state(forsaken)]).toEqual(['CLOSED order-rejected', 'CLOSED order-rejected']));
    expect(await client().ask('get-dead-letter', { id })).toMatchObject({ ok: true, value: { state: 'discarded' } });
    expect(await harness.units(sale)).toEqual({ held: 0, sold: 0, free: 10 });
  });
});

describe('the letters', () => {
  it('are kept once, however often they are told', async () => {
    const placed = poisoned(await harness.sale());
    const told = letter(body(placed));
    await keep(told, told);
    await keep(told);
    expect(await lettersOf(placed)).toHaveLength(1);
    const { id } = (await lettersOf(placed))[0]!;
    await discard(id);
    // The sink dies between its commit and its acknowledgement: what is given up stays so.
    await keep(told);
    expect(await lettersOf(placed)).toMatchObject([{ id, state: 'discarded' }]);
    expect(await harness.entries(placed)).toEqual(['HOLD', 'RELEASE']);
  });

  it.each([
    ['is no JSON', Buffer.from('{"saleId":'), {}, []],
    ['is empty', Buffer.alloc(0), {}, []],
    ['is no text at all', Buffer.from([0, 255, 0, 254]), {}, []],
    ['is a list', [], {}, []],
    ['has no id', { hello: 'there' }, { messageId: '' }, []],
    ['is unknown by name', { hello: 'there' }, { name: 'dream-on\u0000' }, []],
    ['has a NUL in its error and headers', { hello: 'there' }, { lastError: 'a\u0000b', headers: { x: 'a\u0000b' } }, []],
    ['is of a sale that never came', { saleId: 'nosale', lane: 0, epoch: 1, reservations: [{ rid: 'nosale.AAAAAAAAAAAAAAAAAAAAAA', accountId: 'a', ipHash: '', items: [{ itemId: 'x', quantity: 1 }], number: 1, reservedAtMs: 1 }] }, {}, ['nosale.AAAAAAAAAAAAAAAAAAAAAA']],
    ['is of another queue', { saleId: 'x', lane: 0, rows: [{ rid: 'some.one' }] }, { queue: 'seckill.sync-stock', name: 'sync-stock' }, ['some.one']],
  ] as const)('stand also where a message %s', async (_, content, changes, reservationIds) => {
    const marker = randomUUID();
    const before = new Set((await letters()).map((one) => one.id));
    await keep(letter(content, { firstError: marker, ...(changes as Partial<DeadLetter>) }));
    const fresh = (await letters()).filter((one) => !before.has(one.id));
    expect(fresh).toMatchObject([{ firstError: marker, state: 'waiting', reservationIds }]);
    expect(await client().ask('get-dead-letter', { id: fresh[0]!.id })).toMatchObject({ ok: true });
  });

  it('park whatever reservation of a half-broken message can be read, and refuse what the sale does not have', async () => {
    const sale = await harness.sale();
    const [whole, strange] = [harness.reserved(sale), harness.reserved(sale)];
    strange.reservation.items = [{ itemId: 'no-such-item', quantity: 1 }];
    const broken = { rid: `${sale.saleId}.BBBBBBBBBBBBBBBBBBBBBB`, items: 'none' };
    const foreign = { ...whole.reservation, rid: 'other.CCCCCCCCCCCCCCCCCCCCCC' };
    await keep(letter({ saleId: sale.saleId, lane: 0, reservations: [broken, whole.reservation, strange.reservation, foreign] }));
    expect(await harness.state(whole)).toBe('STUCK');
    expect(await harness.state(strange)).toBe('CLOSED order-rejected');
    expect(await harness.orders.find(broken.rid)).toBeNull();
    expect(await harness.units(sale)).toEqual({ held: 1, sold: 0, free: 9 });
    expect((await lettersOf(whole))[0]!.reservationIds).toEqual([broken.rid, whole.rid, strange.rid, foreign.rid]);
  });

  it.each([
    ['does not fit its schema', { saleId: 'x' }, {}, /^would-die-again: PermanentError: place-order does not fit its schema/],
    ['has another version', { saleId: 'x', lane: 0, epoch: 1, reservations: [] }, { headers: { v: 2 } }, /^would-die-again: .*has version 2/],
    ['is not for its queue', {}, { name: 'sync-stock' }, /^would-die-again: .*unknown message sync-stock/],
    ['is of a sale that never came', { saleId: 'nosale', lane: 0, epoch: 1, reservations: [{ rid: 'nosale.AAAAAAAAAAAAAAAAAAAAAA', accountId: 'a', ipHash: '', items: [{ itemId: 'x', quantity: 1 }], number: 1, reservedAtMs: 1 }] }, {}, /^would-die-again: SaleMissingError/],
  ] as const)('say before a replay that a message would die again that %s', async (_, content, changes, outcome) => {
    const { id } = await kept(content, changes);
    expect(await foreseen(id)).toMatch(outcome);
  });

  it('say before a replay that nothing is left to do, and nothing is done then', async () => {
    const placed = await harness.order();
    const { id } = await kept(body(placed));
    const before = await harness.orders.find(placed.rid);
    expect(await foreseen(id)).toMatch(/^would-be-acknowledged: /);
    expect(await replay(id)).toMatchObject({ ok: true, value: { outcome: 'republished' } });
    const { names } = harness.service.get(Broker);
    await eventually(async () => expect((await withChannel((channel) => channel.checkQueue(names.queue('order.place-order')))).messageCount).toBe(0));
    expect(await harness.orders.find(placed.rid)).toEqual(before);
  });

  it('say before a replay what becomes of each reservation of a message, the broken ones alone', async () => {
    const sale = await harness.sale();
    const [done, fresh, strange] = [await harness.order(sale), harness.reserved(sale), harness.reserved(sale)];
    const { id } = await kept({ ...body(done, fresh), reservations: [done.reservation] });
    await harness.database.query('UPDATE dead_letter SET body = $2 WHERE id = $1', [id, Buffer.from(JSON.stringify(body(done, fresh)))]);
    expect(await foreseen(id)).toBe('would-be-processed: 1 no order to PENDING');
    strange.reservation.items = [{ itemId: 'no-such-item', quantity: 1 }];
    await harness.database.query('UPDATE dead_letter SET body = $2 WHERE id = $1', [id, Buffer.from(JSON.stringify(body(done, strange, fresh)))]);
    expect(await foreseen(id)).toMatch(/^would-die-again: 1 of 3 reservations, .*; of the others: 1 no order to PENDING$/);
    expect(await harness.orders.find(fresh.rid)).toBeNull();
    expect(await harness.units(sale)).toEqual({ held: 1, sold: 0, free: 9 });
  });

  it('say before a replay where only the consumer can tell', async () => {
    const { id } = await kept({ saleId: 'some-sale', lane: 0, epoch: 1 }, { queue: 'order.note-loaded', name: 'lane.loaded' });
    expect(await foreseen(id)).toMatch(/^would-be-republished: .*order\.note-loaded/);
  });

  it('come in pages, newest first, without their bodies; one alone shows its own', async () => {
    for (let i = 0; i < 3; i++) await keep(letter({ n: i }));
    const all = await letters();
    const paged: DeadLetterView[] = [];
    for (let cursor: string | null = null; ;) {
      const outcome: Awaited<ReturnType<typeof page>> = await page(cursor);
      paged.push(...outcome.items);
      cursor = outcome.nextCursor;
      if (cursor === null) break;
    }
    expect(paged).toEqual(all);
    expect(await client().ask('get-dead-letter', { id: all[0]!.id })).toMatchObject({ ok: true, value: { body: { n: 2 } } });
    expect(await client().ask('list-dead-letters', { limit: 2, cursor: 'x' })).toMatchObject({ ok: false, code: 'INVALID_REQUEST' });
    expect(await client().ask('get-dead-letter', { id: 'dl-unknown' })).toMatchObject({ ok: false, code: 'NOT_FOUND' });
    expect(await replay('dl-unknown')).toMatchObject({ ok: false, code: 'NOT_FOUND' });
    expect(await discard('dl-unknown')).toMatchObject({ ok: false, code: 'NOT_FOUND' });
  });

  async function page(cursor: string | null) {
    const outcome = await client().ask('list-dead-letters', { limit: 2, cursor });
    if (!outcome.ok) throw new Error(outcome.detail);
    return outcome.value;
  }
});
