import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { BlockView, ChannelView, DeadLetterView, DifferenceView, ReconciliationView, RequestName, SaleView, SettlementView, StuckSagaView, SwitchView } from '@floodgate/contracts';
import { callOperation, type Given } from '../testing/contract.js';
import { aSale, bearer, startGateway, type Gateway } from '../testing/gateway.fixture.js';
import { StandInClient } from '../testing/stand-in.client.js';

const client = new StandInClient();
let gateway: Gateway;
const platformMs = Date.UTC(2030, 0, 1);

beforeAll(async () => {
  gateway = await startGateway(client);
  gateway.clock.nowMs = () => platformMs;
});
beforeEach(() => { client.asked.length = 0; });
afterAll(() => gateway.close());

const sale: SaleView = {
  id: 'Sale000001', state: 'DRAFT', version: 1, title: 'A sale', merchantId: 'm', mode: 'race', opensAt: '2030-01-01T00:00:00.000Z', closesAt: '2030-01-01T01:00:00.000Z',
  paymentWindowSeconds: 60, latePayment: 'refund', limits: { perAccount: 1 }, challenge: 'none', submittedBy: null, approvedBy: null, createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z', armError: null, audience: null,
  items: [{ id: 'Sale000001-1', skuId: 's', title: 'One', imageUrl: null, kind: 'goods', price: { amount: 1, currency: 'GBP' }, listPrice: null, quota: 1, perAccount: null }],
};
const { title, merchantId, mode, opensAt, closesAt, paymentWindowSeconds, limits, challenge } = sale;
const input = { title, merchantId, mode, opensAt, closesAt, paymentWindowSeconds, limits, challenge, items: [{ skuId: 's', title: 'One', kind: 'goods', price: { amount: 1, currency: 'GBP' }, quota: 1 }] };
const letter: DeadLetterView = { id: 'd1', queue: 'q', message: 'm', reason: 'r', firstError: 'a', lastError: 'b', attempts: 1, state: 'waiting', reservationIds: [], occurredAt: '2026-01-01T00:00:00.000Z', body: {} };
const block: BlockView = { accountId: 'x', reason: 'bot', until: null, actor: 'me', blockedAt: '2026-01-01T00:00:00.000Z' };
const stuck: StuckSagaView = {
  kind: 'closing', orderId: 'Sale000001.x', saleId: 'Sale000001', paymentId: null, orderState: 'CLOSING', reason: 'payment-timeout', attempts: 3,
  nextAttemptAt: '2026-01-01T00:00:01.000Z', lastError: 'away', since: '2026-01-01T00:00:00.000Z',
};
const toggle: SwitchView = { name: 'x', value: true, default: true, type: 'boolean', meaning: 'm', changedAt: null, changedBy: null };
const channel: ChannelView = {
  name: 'x', kind: 'wecom', leadsTo: 'qyapi.weixin.qq.com', signed: false, hears: ['alerts'], savedBy: 'me', savedAt: '2026-01-01T00:00:00.000Z', lastSentAt: null, waiting: 0, lastError: null,
};
const page = { limit: 20, cursor: null };
const actor = (role: string) => ({ accountId: 'me', roles: [role] });

const settlement: SettlementView = {
  id: 'set-1', provider: 'sandbox', day: null, state: 'different', problem: null, startedAt: '2026-01-01T00:00:00.000Z', finishedAt: null, payments: { there: 1, here: 0 },
  counts: { 'not-here': 1 }, differences: [{ kind: 'not-here', paymentId: 'p', orderId: 'o', here: 'a', there: 'b' }], nextCursor: null,
};

const difference: DifferenceView = { kind: 'available', lane: 0, subject: 'i', redis: '1 available', postgres: '2 free', mend: 'recount', advice: 'a' };
const reconciliation: ReconciliationView = { saleId: 'x', asOf: '2026-01-01T00:00:00.000Z', settling: 0, mended: [], differences: [difference], more: 0 };

/** Operation, role, request, what the service is asked, its answer, the status. */
const rows: [string, string, Given, RequestName, object, unknown, number][] = [
  ['createSale', 'merchant', { body: input }, 'create-sale', { actor: actor('merchant'), input }, sale, 201],
  ['listAdminSales', 'auditor', {}, 'list-sales', { actor: actor('auditor'), nowMs: platformMs, ...page }, { items: [sale], nextCursor: null }, 200],
  ['getAdminSale', 'operator', {}, 'get-sale', { actor: actor('operator'), saleId: 'x', nowMs: platformMs }, sale, 200],
  ['updateSale', 'merchant', { body: { title: 'Other' } }, 'update-sale', { actor: actor('merchant'), saleId: 'x', patch: { title: 'Other' }, nowMs: platformMs }, sale, 200],
  ['submitSale', 'merchant', {}, 'move-sale', { actor: actor('merchant'), saleId: 'x', action: 'submit', reason: null, nowMs: platformMs }, sale, 200],
  ['approveSale', 'approver', {}, 'move-sale', { actor: actor('approver'), saleId: 'x', action: 'approve', reason: null, nowMs: platformMs }, sale, 200],
  ['rejectSale', 'approver', { body: { reason: 'no' } }, 'move-sale', { actor: actor('approver'), saleId: 'x', action: 'reject', reason: 'no', nowMs: platformMs }, sale, 200],
  ['pauseSale', 'operator', {}, 'move-sale', { actor: actor('operator'), saleId: 'x', action: 'pause', reason: null, nowMs: platformMs }, sale, 200],
  ['resumeSale', 'operator', {}, 'move-sale', { actor: actor('operator'), saleId: 'x', action: 'resume', reason: null, nowMs: platformMs }, sale, 200],
  ['closeSale', 'operator', {}, 'move-sale', { actor: actor('operator'), saleId: 'x', action: 'close', reason: null, nowMs: platformMs }, sale, 200],
  ['withdrawSale', 'operator', {}, 'move-sale', { actor: actor('operator'), saleId: 'x', action: 'withdraw', reason: null, nowMs: platformMs }, sale, 200],
  ['getPreflight', 'merchant', {}, 'preflight-sale', { actor: actor('merchant'), saleId: 'x', nowMs: platformMs }, { ok: true, rows: [] }, 200],
  ['auditSale', 'auditor', {}, 'audit-sale', { saleId: 'x' }, {
    verdict: 'clean', saleId: 'x', asOf: '2026-01-01T00:00:00.000Z', settling: 0, oversold: 0, lost: 0, duplicated: 0, unexplained: 0, redisEqualsPostgres: true, items: [], payments: { captured: 0, refunded: 0 }, findings: [],
  }, 200],
  ['getReconciliation', 'auditor', {}, 'reconcile-sale', { saleId: 'x', fix: null }, reconciliation, 200],
  ['reconcileSale', 'operator', { body: { reason: 'drift' } }, 'reconcile-sale', { saleId: 'x', fix: { actor: actor('operator'), reason: 'drift' } }, reconciliation, 200],
  ['exportSale', 'auditor', { query: '?cursor=one.2' }, 'export-sale', { saleId: 'x', cursor: 'one.2' }, { certificate: { saleId: 'x' }, file: 'ledger.ndjson', text: '{}\n', nextCursor: 'one.3' }, 200],
  ['compareSettlement', 'auditor', { query: '?day=2026-11-27' }, 'compare-settlement', { provider: 'nothing', day: '2026-11-27' }, settlement, 200],
  ['getSettlement', 'auditor', {}, 'get-settlement', { provider: 'nothing', id: 'x', ...page }, settlement, 200],
  ['getSaleReport', 'merchant', {}, 'get-sale-report', { actor: actor('merchant'), saleId: 'x' }, { saleId: 'x', funnel: {}, soldOutAt: null, amount: { amount: 0, currency: 'GBP' }, percentiles: {}, items: [], startedAt: null, perSecond: [] }, 200],
  ['listSaleOrders', 'merchant', {}, 'list-sale-orders', { actor: actor('merchant'), saleId: 'x', ...page }, { items: [], nextCursor: null }, 200],
  ['getWithdrawal', 'merchant', {}, 'get-withdrawal', { actor: actor('merchant'), saleId: 'x' }, { saleId: 'x', open: 1, refunding: 2, closed: 3, total: 6, done: false }, 200],
  ['listSagas', 'operator', { query: '?state=stuck' }, 'list-stuck-sagas', page, { items: [stuck], nextCursor: null }, 200],
  ['getInventory', 'operator', {}, 'get-inventory', { skuId: 'x' }, { skuId: 'x', units: 1 }, 200],
  ['setInventory', 'operator', { body: { units: 0 } }, 'set-inventory', { actor: actor('operator'), skuId: 'x', units: 0 }, { skuId: 'x', units: 0 }, 200],
  ['listSwitches', 'operator', {}, 'list-switches', page, { items: [toggle], nextCursor: null }, 200],
  ['getSwitch', 'operator', {}, 'get-switch', { name: 'x' }, toggle, 200],
  ['setSwitch', 'operator', { body: { value: false } }, 'set-switch', { actor: actor('operator'), name: 'x', value: false }, toggle, 200],
  ['listDeadLetters', 'operator', {}, 'list-dead-letters', page, { items: [letter], nextCursor: null }, 200],
  ['getDeadLetter', 'operator', {}, 'get-dead-letter', { id: 'x' }, letter, 200],
  ['replayDeadLetter', 'operator', { query: '?dryRun=true' }, 'replay-dead-letter', { actor: actor('operator'), id: 'x', dryRun: true }, { id: 'x', dryRun: true, outcome: 'would' }, 200],
  ['getBlockedAccount', 'operator', {}, 'get-block', { accountId: 'x' }, block, 200],
  ['blockAccount', 'operator', { body: { reason: 'bot', until: '2030-01-01T00:00:01.000Z' } }, 'set-block', { actor: actor('operator'), accountId: 'x', reason: 'bot', untilMs: platformMs + 1_000 }, block, 200],
  ['blockAccount', 'operator', {}, 'set-block', { actor: actor('operator'), accountId: 'x', reason: null, untilMs: null }, block, 200],
  ['unblockAccount', 'operator', {}, 'lift-block', { actor: actor('operator'), accountId: 'x' }, undefined, 204],
  ['listChannels', 'operator', {}, 'list-channels', page, { items: [channel], nextCursor: null }, 200],
  ['saveChannel', 'operator', { body: { kind: 'wecom', url: 'https://robot.example/?key=k', hears: ['alerts'] } }, 'save-channel', { actor: actor('operator'), name: 'x', kind: 'wecom', url: 'https://robot.example/?key=k', secret: null, hears: ['alerts'] }, channel, 200],
  ['removeChannel', 'operator', {}, 'remove-channel', { actor: actor('operator'), name: 'x' }, undefined, 204],
  ['testChannel', 'operator', {}, 'test-channel', { actor: actor('operator'), name: 'x' }, { name: 'x', outcome: 'sent', error: null }, 200],
  ['importAudience', 'merchant', { body: { accounts: ['a', 'b', 'b'] } }, 'add-audience', { actor: actor('merchant'), saleId: 'x', accounts: ['a', 'b', 'b'] }, { received: 3, added: 2, duplicates: 1 }, 200],
  ['addAudienceCodes', 'merchant', { body: { codes: [{ code: 'first-come' }, { code: 'second-come', uses: 9 }] } }, 'add-audience-codes', { actor: actor('merchant'), saleId: 'x', codes: [{ code: 'first-come', uses: 1 }, { code: 'second-come', uses: 9 }] }, { added: 2, duplicates: 0 }, 200],
  ['listAuditLog', 'auditor', { query: '?limit=5&cursor=7' }, 'list-audit-log', { limit: 5, cursor: '7' }, { items: [], nextCursor: null }, 200],
  ['discardDeadLetter', 'operator', { body: { reason: 'old' } }, 'discard-dead-letter', { actor: actor('operator'), id: 'x', reason: 'old' }, letter, 200],
];

describe('staff', () => {
  it.each(rows)('%s as %s is asked of its service and answered as the document says', async (id, role, given, name, asked, value, status) => {
    client.on(name, () => ({ ok: true, value }) as never);
    const got = await callOperation(gateway.app, id, { path: { id: 'x', skuId: 'x', accountId: 'x', name: 'x' }, ...given, headers: bearer('me', role) });
    expect([got.status, got.json]).toEqual([status, value]);
    expect(client.bodies(name)).toEqual([asked]);
  });

  it.each(rows)('%s as %s without an answer is unavailable', async (id, role, given, name) => {
    client.fail(name, 'TIMEOUT');
    expect((await callOperation(gateway.app, id, { path: { id: 'x', skuId: 'x', accountId: 'x', name: 'x' }, ...given, headers: bearer('me', role) })).json.code).toBe('UNAVAILABLE');
  });

  it('approves a sale that this gateway knows before it answers', async () => {
    client.on('move-sale', () => ({ ok: true, value: sale })).on('list-published', () => ({ sales: [aSale({ saleId: 'JustNow' })], next: null }));
    await callOperation(gateway.app, 'approveSale', { path: { id: 'JustNow' }, headers: bearer('me', 'approver') });
    expect(gateway.catalogue.get('JustNow')).toBeDefined();
  });

  it('is refused as the service says', async () => {
    client.on('move-sale', () => ({ ok: false, code: 'INVALID_TRANSITION', detail: 'no', extra: { state: 'DRAFT', type: 'forged', requestId: 'forged' } }));
    const got = await callOperation(gateway.app, 'pauseSale', { path: { id: 'x' }, headers: bearer('me', 'operator') });
    expect(got.json).toMatchObject({ type: 'urn:floodgate:problem:INVALID_TRANSITION', state: 'DRAFT', status: 409, requestId: got.headers['x-request-id'] });
  });
});

describe('health', () => {
  it('names each dependency', async () => {
    expect((await callOperation(gateway.app, 'getLiveness')).status).toBe(200);
    expect((await callOperation(gateway.app, 'getReadiness')).json.dependencies).toEqual({ rabbitmq: 'ok', promotion: 'ok', seckill: 'silent' });
    client.state = 'down';
    const got = await callOperation(gateway.app, 'getReadiness');
    expect([got.status, got.json.code, got.json.dependencies.rabbitmq]).toEqual([503, 'UNAVAILABLE', 'failing']);
    client.state = 'up';
  });
});
