import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { saleActions, type Actor, type Ask, type SaleAction, type SaleView } from '@floodgate/contracts';
import { Database, type RequestClient } from '@floodgate/platform';
import { eventually, type Heard, type RunningService } from '@floodgate/platform/testing';
import { startPromotion } from '../support/sound-facts.js';
import { ArmJob } from './arm.job.js';
import { saleInput } from './sale.samples.js';

const merchant: Actor = { accountId: 'merchant-1', roles: ['merchant'] };
const approver: Actor = { accountId: 'approver-1', roles: ['approver'] };
const operator: Actor = { accountId: 'operator-1', roles: ['operator'] };
const minuteMs = 60_000;

let service: RunningService;
let client: RequestClient;
beforeAll(async () => {
  ({ service } = await startPromotion());
  client = service.client;
});
afterAll(() => service.stop());

const iso = (offsetMs: number) => new Date(Date.now() + offsetMs).toISOString();
const messagesOf = <N extends Heard['name']>(name: N, saleId: string) =>
  service.heard.flatMap((heard) => (heard.name === name && 'saleId' in heard.body && heard.body.saleId === saleId ? [heard.body as Extract<Heard, { name: N }>['body']] : []));

async function draft(changes: Parameters<typeof saleInput>[0] = {}): Promise<SaleView> {
  const outcome = await client.ask('create-sale', { actor: merchant, input: saleInput({ opensAt: iso(-1_000), closesAt: iso(60 * minuteMs), ...changes }) });
  if (!outcome.ok) throw new Error(JSON.stringify(outcome));
  return outcome.value;
}

const move = (saleId: string, action: SaleAction, actor: Actor, options: Partial<Ask<'move-sale'>> = {}) =>
  client.ask('move-sale', { actor, saleId, action, reason: null, nowMs: Date.now(), ...options });
const get = (saleId: string, actor: Actor = operator) => client.ask('get-sale', { actor, saleId, nowMs: Date.now() });

async function approved(changes: Parameters<typeof saleInput>[0] = {}): Promise<SaleView> {
  const { id } = await draft(changes);
  await move(id, 'submit', merchant);
  const outcome = await move(id, 'approve', approver);
  if (!outcome.ok) throw new Error(JSON.stringify(outcome));
  const isDue = Date.parse(outcome.value.opensAt) < Date.now();
  if (isDue) await eventually(() => expect(messagesOf('sale.approved', id)).not.toEqual([]));
  return outcome.value;
}

async function armed(changes: Parameters<typeof saleInput>[0] = {}): Promise<SaleView> {
  const { id } = await approved(changes);
  await service.publisher.publish('sale.armed', { saleId: id });
  return eventually(async () => {
    const outcome = await get(id);
    expect(outcome).toMatchObject({ ok: true, value: { state: 'OPEN' } });
    return (outcome as { value: SaleView }).value;
  });
}

describe('a sale, from draft to withdrawn', () => {
  it('answers a draft with the request, its id, and the ids of its items', async () => {
    const input = saleInput({ opensAt: iso(minuteMs), closesAt: iso(2 * minuteMs) });
    const outcome = await client.ask('create-sale', { actor: merchant, input });
    expect(outcome).toMatchObject({ ok: true, value: { ...input, state: 'DRAFT', version: 1, submittedBy: null, approvedBy: null, armError: null } });
    const sale = (outcome as { value: SaleView }).value;
    expect(sale.id).toMatch(/^[A-Za-z0-9]{10}$/);
    expect(sale.items.map((item) => item.id)).toEqual([`${sale.id}-1`, `${sale.id}-2`]);
    expect(JSON.stringify(sale)).not.toMatch(/secret/i);
    expect(await get(sale.id)).toEqual(outcome);
  });

  it('is armed, opens by the clock, and every later state goes out with a higher version', async () => {
    const sale = await armed();
    const document = await eventually(() => {
      const [approval] = messagesOf('sale.approved', sale.id);
      expect(approval).toBeDefined();
      return approval;
    });
    expect(document).toMatchObject({ state: 'APPROVED', version: 3, lanes: 1, currency: 'GBP', paymentWindowMs: 600_000, ridSecret: expect.stringMatching(/^[0-9a-f]{64}$/) });
    for (const [action, state] of [['pause', 'PAUSED'], ['resume', 'OPEN'], ['close', 'ENDED'], ['withdraw', 'WITHDRAWN']] as const) {
      expect(await move(sale.id, action, operator)).toMatchObject({ ok: true, value: { state } });
    }
    await eventually(() => expect(messagesOf('sale.changed', sale.id).sort((a, b) => a.version - b.version)).toEqual([
      ['APPROVED', 3], ['ARMED', 4], ['PAUSED', 5], ['ARMED', 6], ['ENDED', 7], ['WITHDRAWN', 8],
    ].map(([state, version]) => ({ saleId: sale.id, state, version, beforeArming: state === 'APPROVED' }))));
  });

  it('is changed by one of two who act at once', async () => {
    const sale = await draft();
    await move(sale.id, 'submit', merchant);
    const outcomes = await Promise.all(['one', 'two', 'three'].map((accountId) => move(sale.id, 'approve', { accountId, roles: ['approver'] })));
    expect(outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.code)).sort()).toEqual(['INVALID_TRANSITION', 'INVALID_TRANSITION', 'ok']);
    expect(await get(sale.id)).toMatchObject({ value: { version: 3 } });
  });

  it('refuses approval after its window, and by the one who submitted it', async () => {
    const both: Actor = { accountId: merchant.accountId, roles: ['merchant', 'approver'] };
    const sale = await draft({ opensAt: iso(-2 * minuteMs), closesAt: iso(-minuteMs) });
    await move(sale.id, 'submit', merchant);
    expect(await move(sale.id, 'approve', both)).toMatchObject({ code: 'FORBIDDEN' });
    await service.get(Database).query("UPDATE sale SET submitted_by = 'a-colleague' WHERE id = $1", [sale.id]);
    expect(await move(sale.id, 'approve', both)).toMatchObject({ code: 'FORBIDDEN', detail: expect.stringContaining('edited') });
    expect(await move(sale.id, 'reject', both, { reason: 'no' })).toMatchObject({ code: 'FORBIDDEN' });
    expect(await move(sale.id, 'approve', approver)).toMatchObject({ code: 'INVALID_TRANSITION', extra: { state: 'SUBMITTED' } });
    expect(await move(sale.id, 'reject', approver, { reason: 'too late' })).toMatchObject({ ok: true, value: { state: 'REJECTED' } });
  });
});

describe('a draft', () => {
  it('is refused with every fault, and not kept', async () => {
    const outcome = await client.ask('create-sale', { actor: merchant, input: { ...saleInput({ merchantId: 'merchant-2', mode: 'lottery' }), title: '' } });
    expect(outcome).toMatchObject({ code: 'INVALID_REQUEST', extra: { errors: [{ path: '/title' }, { path: '/mode' }, { path: '/merchantId' }] } });
  });

  it('is changed by the fields given, and only while it is a draft', async () => {
    const sale = await draft();
    const patched = await client.ask('update-sale', { actor: merchant, saleId: sale.id, patch: { title: 'Another', limits: {} }, nowMs: Date.now() });
    expect(patched).toMatchObject({ ok: true, value: { title: 'Another', limits: {}, version: 2, items: sale.items } });
    expect(await client.ask('update-sale', { actor: merchant, saleId: sale.id, patch: { items: [] }, nowMs: Date.now() })).toMatchObject({ code: 'INVALID_REQUEST' });
    await move(sale.id, 'submit', merchant);
    expect(await client.ask('update-sale', { actor: merchant, saleId: sale.id, patch: { title: 'x' }, nowMs: Date.now() }))
      .toMatchObject({ code: 'INVALID_TRANSITION', extra: { state: 'SUBMITTED' } });
  });

  it("of another merchant does not exist, for any verb", async () => {
    const sale = await draft();
    const other: Actor = { accountId: 'merchant-2', roles: ['merchant'] };
    const answers = [
      await get(sale.id, other),
      await client.ask('preflight-sale', { actor: other, saleId: sale.id, nowMs: 0 }),
      await client.ask('update-sale', { actor: other, saleId: sale.id, patch: {}, nowMs: 0 }),
      ...await Promise.all(saleActions.map((action) => move(sale.id, action, other))),
      // Seeing all sales is not owning them.
      await move(sale.id, 'submit', { accountId: 'merchant-2', roles: ['merchant', 'auditor'] }),
      await get('nonesuch'),
    ];
    expect(answers.map((answer) => (answer.ok ? 'ok' : answer.code))).toEqual(answers.map(() => 'NOT_FOUND'));
  });

  it('is listed newest first, page by page, to its merchant and to other staff', async () => {
    const own: Actor = { accountId: 'merchant-9', roles: ['merchant'] };
    const ids: string[] = [];
    for (const title of ['one', 'two', 'three']) {
      const outcome = await client.ask('create-sale', { actor: own, input: saleInput({ merchantId: own.accountId, title }) });
      if (outcome.ok) ids.unshift(outcome.value.id);
    }
    const first = await client.ask('list-sales', { actor: own, nowMs: 0, limit: 2, cursor: null });
    if (!first.ok) throw new Error(first.detail);
    const second = await client.ask('list-sales', { actor: own, nowMs: 0, limit: 2, cursor: first.value.nextCursor });
    if (!second.ok) throw new Error(second.detail);
    expect([...first.value.items, ...second.value.items].map((sale) => sale.id)).toEqual(ids);
    expect(second.value.nextCursor).toBeNull();
    const all = await client.ask('list-sales', { actor: approver, nowMs: 0, limit: 100, cursor: null });
    expect(all.ok && new Set(all.value.items.map((sale) => sale.merchantId)).size).toBeGreaterThan(1);
    expect(await client.ask('list-sales', { actor: own, nowMs: 0, limit: 2, cursor: 'made up' })).toMatchObject({ code: 'INVALID_REQUEST' });
  });

  it('has a checklist', async () => {
    expect(await client.ask('preflight-sale', { actor: operator, saleId: (await draft()).id, nowMs: Date.now() })).toMatchObject({ ok: true, value: { ok: true } });
  });
});

describe('arming', () => {
  it('waits until ten minutes before the opening; gateways hear of the sale at once', async () => {
    const sale = await approved({ opensAt: iso(15 * minuteMs) });
    await eventually(() => expect(messagesOf('sale.changed', sale.id)).toEqual([{ saleId: sale.id, state: 'APPROVED', version: 3, beforeArming: true }]));
    const job = service.get(ArmJob);
    expect(await job.armDue(Date.now() + 4 * minuteMs)).not.toContain(sale.id);
    expect(messagesOf('sale.approved', sale.id)).toEqual([]);
    expect(await job.armDue(Date.now() + 6 * minuteMs)).toContain(sale.id);
    await eventually(() => expect(messagesOf('sale.approved', sale.id)).toHaveLength(1));
    expect(await move(sale.id, 'withdraw', operator)).toMatchObject({ ok: true });
    await eventually(() => expect(messagesOf('sale.changed', sale.id).at(-1)).toMatchObject({ state: 'WITHDRAWN', beforeArming: false }));
  });

  it('is asked for again while nobody confirms, and says so', async () => {
    const { id } = await approved();
    const job = service.get(ArmJob);
    const nowMs = Date.now();
    expect(await job.armDue(nowMs)).not.toContain(id);
    expect(await job.armDue(nowMs + 6_000)).toContain(id);
    expect(await get(id)).toMatchObject({ value: { state: 'APPROVED', armError: expect.stringContaining('again') } });
    // Twice as long to the next asking.
    expect(await job.armDue(nowMs + 10_000)).not.toContain(id);
    expect(await job.armDue(nowMs + 17_000)).toContain(id);
    await service.publisher.publish('sale.armed', { saleId: id });
    await eventually(async () => expect(await get(id)).toMatchObject({ value: { state: 'OPEN', armError: null } }));
    expect(await job.armDue(nowMs + 60 * minuteMs)).not.toContain(id);
  });

  it('shows why it failed', async () => {
    const { id, version } = await approved();
    await service.publisher.publish('sale.arm-failed', { saleId: id, error: 'Redis is full' });
    await eventually(async () => expect(await get(id)).toMatchObject({ value: { state: 'APPROVED', armError: 'Redis is full', version } }));
    expect(await client.ask('preflight-sale', { actor: operator, saleId: id, nowMs: Date.now() })).toMatchObject({ value: { ok: false } });
  });

  it('that comes twice, or too late, changes nothing', async () => {
    const twice = await armed();
    const late = await approved();
    await move(late.id, 'withdraw', operator);
    for (const { id } of [twice, late]) await service.publisher.publish('sale.armed', { saleId: id });
    // The queue is worked off in order: once this one is armed, the two before it have been noted.
    const { id } = await approved();
    await service.publisher.publish('sale.armed', { saleId: id });
    await eventually(async () => expect(await get(id)).toMatchObject({ value: { state: 'OPEN' } }));
    expect(await get(twice.id)).toMatchObject({ value: { version: twice.version } });
    expect(await get(late.id)).toMatchObject({ value: { state: 'WITHDRAWN' } });
  });
});

describe('what gateways are told', () => {
  it('is every approved or later sale with its secret, page by page, and nothing else', async () => {
    const shown = [(await approved({ opensAt: iso(30 * minuteMs) })).id, (await armed()).id];
    const hidden = [await draft(), await draft()];
    await move(hidden[0]!.id, 'submit', merchant);
    const seen: string[] = [];
    for (let cursor: string | null = null; ;) {
      const page: { sales: { saleId: string; ridSecret: string }[]; next: string | null } = await client.ask('list-published', { cursor });
      seen.push(...page.sales.map((sale) => sale.saleId));
      expect(page.sales.every((sale) => sale.ridSecret.length === 64)).toBe(true);
      cursor = page.next;
      if (!cursor) break;
    }
    expect(seen).toEqual(expect.arrayContaining(shown));
    expect(seen.filter((id) => hidden.some((sale) => sale.id === id))).toEqual([]);
    expect(new Set(seen).size).toBe(seen.length);
  });
});

describe('the audit log', () => {
  it('says who did what, with the values before and after, and cannot be changed', async () => {
    const { id } = await armed();
    await move(id, 'withdraw', operator, { reason: 'recalled' });
    const database = service.get(Database);
    const rows = await database.query('SELECT account_id, action, reason, before, after FROM audit_log WHERE subject = $1 ORDER BY id', [id]);
    expect(rows.map((row) => [row.account_id, row.action])).toEqual([
      ['merchant-1', 'create'], ['merchant-1', 'submit'], ['approver-1', 'approve'], ['system', 'arm'], ['operator-1', 'withdraw'],
    ]);
    expect(rows.at(-1)).toMatchObject({ reason: 'recalled', before: { state: 'ARMED', version: 4 }, after: { state: 'WITHDRAWN', version: 5 } });
    expect(JSON.stringify(rows)).not.toMatch(/secret/i);
    for (const statement of ["UPDATE audit_log SET account_id = 'x'", 'DELETE FROM audit_log', 'TRUNCATE audit_log']) {
      await expect(database.query(statement)).rejects.toThrow('append-only');
    }
  });
});
