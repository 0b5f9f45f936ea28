import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import type pg from 'pg';
import { expectStatus, nextPoll, type Api } from './api.js';

/** What a row has to work with. */
export interface Stage {
  api: Api;
  sql: pg.Client;
  /** What an operation before left for those after it. */
  saleId: string;
  rejectedId: string;
  voucherId: string;
  /** An order that has its codes. */
  codes: { orderId: string; codes: string[] };
}

interface AdminOperation {
  role: 'merchant' | 'approver' | 'operator';
  /** Does it; returns what the audit log must say it was done to. */
  act: (stage: Stage) => Promise<string>;
  /** The entry that must stand in the log, besides `accountId` and `subject`. */
  entry: { action: string; reason?: unknown; before?: unknown; after?: unknown };
}

const some = (members: object) => expect.objectContaining(members);
const account: Record<AdminOperation['role'], string> = { merchant: 'm-test', approver: 'a-test', operator: 'o-test' };
export const accountOf = (role: AdminOperation['role']): string => account[role];

const move = (role: AdminOperation['role'], action: string, from: string, to: string): AdminOperation => ({
  role,
  act: async ({ api, saleId }) => {
    expectStatus(200, await api.admin(role, 'POST', `/sales/${saleId}/${action}`));
    return saleId;
  },
  entry: { action, before: some({ state: from }), after: some({ state: to }) },
});

/** Every operation of the contract with which somebody changes something, in an order in which they work one after another. */
export const adminOperations: Record<string, AdminOperation> = {
  createSale: {
    role: 'merchant',
    act: async (stage) => {
      const make = async () => expectStatus(201, await stage.api.admin('merchant', 'POST', '/sales', stage.api.saleInput([{ quota: 5 }]))).id as string;
      stage.rejectedId = await make();
      expectStatus(200, await stage.api.admin('merchant', 'POST', `/sales/${stage.rejectedId}/submit`));
      stage.saleId = await make();
      return stage.saleId;
    },
    entry: { action: 'create', before: null, after: some({ state: 'DRAFT', title: 'Test sale' }) },
  },
  updateSale: {
    role: 'merchant',
    act: async ({ api, saleId }) => {
      expectStatus(200, await api.admin('merchant', 'PATCH', `/sales/${saleId}`, { title: 'Another' }));
      return saleId;
    },
    entry: { action: 'update', before: some({ title: 'Test sale' }), after: some({ title: 'Another' }) },
  },
  importAudience: {
    role: 'merchant',
    act: async ({ api }) => {
      const { id } = expectStatus(201, await api.admin('merchant', 'POST', '/sales', api.saleInput([{}])));
      expectStatus(200, await api.admin('merchant', 'POST', `/sales/${id}/audience`, { accounts: ['a', 'b', 'b'] }));
      return id;
    },
    entry: { action: 'import-audience', after: { added: 2, duplicates: 1 } },
  },
  addAudienceCodes: {
    role: 'merchant',
    act: async ({ api }) => {
      const { id } = expectStatus(201, await api.admin('merchant', 'POST', '/sales', api.saleInput([{}])));
      expectStatus(200, await api.admin('merchant', 'POST', `/sales/${id}/audience-codes`, { codes: [{ code: 'let-me-in' }] }));
      return id;
    },
    entry: { action: 'add-audience-codes', after: { added: 1, duplicates: 0 } },
  },
  submitSale: move('merchant', 'submit', 'DRAFT', 'SUBMITTED'),
  rejectSale: {
    role: 'approver',
    act: async ({ api, rejectedId }) => {
      expectStatus(200, await api.admin('approver', 'POST', `/sales/${rejectedId}/reject`, { reason: 'too dear' }));
      return rejectedId;
    },
    entry: { action: 'reject', reason: 'too dear', before: some({ state: 'SUBMITTED' }), after: some({ state: 'REJECTED' }) },
  },
  approveSale: {
    role: 'approver',
    act: async ({ api, saleId }) => {
      expectStatus(200, await api.admin('approver', 'POST', `/sales/${saleId}/approve`));
      await untilOpen(api, saleId);
      return saleId;
    },
    entry: { action: 'approve', before: some({ state: 'SUBMITTED', approvedBy: null }), after: some({ state: 'APPROVED', approvedBy: 'a-test' }) },
  },
  changeStock: {
    role: 'operator',
    act: async ({ api, saleId }) => {
      const answer = await api.call('POST', `/v1/admin/sales/${saleId}/items/${saleId}-1/stock`, { token: api.as('o-test', 'operator'), key: randomUUID(), body: { delta: 2, reason: 'found two more' } });
      expectStatus(200, answer);
      return saleId;
    },
    entry: { action: 'change-stock', reason: 'found two more', before: { stock: some({ quota: 5 }) }, after: { stock: some({ quota: 7 }) } },
  },
  importCodes: {
    role: 'merchant',
    act: async (stage) => {
      const { api } = stage;
      stage.voucherId = expectStatus(201, await api.admin('merchant', 'POST', '/sales', api.saleInput([{ kind: 'voucher', quota: 2 }]))).id;
      const csv = 'code\nfirst-code\nsecond-code\nthird-code\n';
      expectStatus(200, await api.call('POST', `/v1/admin/sales/${stage.voucherId}/items/${stage.voucherId}-1/codes`, { token: api.as('m-test', 'merchant'), headers: { 'content-type': 'text/csv' }, body: csv }));
      return `${stage.voucherId}-1`;
    },
    entry: { action: 'import-codes', after: some({ firstChunk: { added: 3, duplicates: 0 } }) },
  },
  setCodePolicy: {
    role: 'merchant',
    act: async ({ api, voucherId }) => {
      expectStatus(200, await api.admin('merchant', 'PUT', `/sales/${voucherId}/items/${voucherId}-1/code-pool`, { onRefund: 'return' }));
      return `${voucherId}-1`;
    },
    entry: { action: 'set-code-policy', before: { onRefund: 'burn' }, after: { onRefund: 'return' } },
  },
  redeemCodes: {
    role: 'merchant',
    act: async (stage) => {
      stage.codes = await codesBought(stage);
      const { orderId, codes } = stage.codes;
      expectStatus(200, await stage.api.admin('merchant', 'POST', `/orders/${orderId}/codes/redeem`, { codes: codes.slice(0, 1) }));
      return orderId;
    },
    entry: { action: 'redeem-codes', after: { redeemed: 1 } },
  },
  reissueCodes: {
    role: 'operator',
    act: async ({ api, codes: { orderId, codes } }) => {
      expectStatus(200, await api.call('POST', `/v1/admin/orders/${orderId}/codes/reissue`, { token: api.as('o-test', 'operator'), key: randomUUID(), body: { codes: codes.slice(1), reason: 'mistyped' } }));
      return orderId;
    },
    entry: { action: 'reissue-codes', reason: 'mistyped', after: { replaced: 1 } },
  },
  reconcileSale: {
    role: 'operator',
    act: async ({ api, saleId }) => {
      expectStatus(200, await api.admin('operator', 'POST', `/sales/${saleId}/reconciliation`, { reason: 'after a restart' }));
      return saleId;
    },
    entry: { action: 'reconcile', reason: 'after a restart', before: some({ differences: expect.any(Object) }), after: some({ resend: expect.any(Object), republish: expect.any(Object) }) },
  },
  pauseSale: move('operator', 'pause', 'ARMED', 'PAUSED'),
  resumeSale: move('operator', 'resume', 'PAUSED', 'ARMED'),
  closeSale: move('operator', 'close', 'ARMED', 'ENDED'),
  withdrawSale: move('operator', 'withdraw', 'ENDED', 'WITHDRAWN'),
  setInventory: {
    role: 'operator',
    act: async ({ api }) => {
      const skuId = `sku-${randomUUID()}`;
      for (const units of [3, 4]) expectStatus(200, await api.admin('operator', 'PUT', `/inventory/${skuId}`, { units }));
      return skuId;
    },
    entry: { action: 'set-inventory', before: { units: 3 }, after: { units: 4 } },
  },
  blockAccount: {
    role: 'operator',
    act: async ({ api }) => {
      expectStatus(200, await api.admin('operator', 'PUT', '/block-list/scalper', { reason: 'sells on' }));
      return 'scalper';
    },
    entry: { action: 'block', reason: 'sells on', before: null, after: some({ accountId: 'scalper', actor: 'o-test' }) },
  },
  unblockAccount: {
    role: 'operator',
    act: async ({ api }) => {
      expectStatus(204, await api.admin('operator', 'DELETE', '/block-list/scalper'));
      return 'scalper';
    },
    entry: { action: 'unblock', before: some({ accountId: 'scalper', reason: 'sells on' }), after: null },
  },
  setSwitch: {
    role: 'operator',
    act: async ({ api }) => {
      expectStatus(200, await api.admin('operator', 'PUT', '/switches/streams.open-max', { value: 19_999 }));
      return 'streams.open-max';
    },
    entry: { action: 'set-switch', before: some({ value: 20_000 }), after: some({ value: 19_999 }) },
  },
  saveChannel: {
    role: 'operator',
    act: async ({ api }) => {
      expectStatus(400, await api.admin('operator', 'PUT', '/channels/on-call', { kind: 'webhook', url: 'ftp://127.0.0.1/', secret: 'a-secret', hears: ['alerts'] }));
      expectStatus(400, await api.admin('operator', 'PUT', '/channels/on-call', { kind: 'webhook', url: 'http://127.0.0.1:9/', secret: 'no\u0000text', hears: ['alerts'] }));
      // Nobody listens there, and nothing is to be told.
      expectStatus(200, await api.admin('operator', 'PUT', '/channels/on-call', { kind: 'webhook', url: 'http://127.0.0.1:9/hook?key=k', secret: 'a-secret', hears: ['digests'] }));
      return 'on-call';
    },
    entry: { action: 'save-channel', before: null, after: { kind: 'webhook', leadsTo: '127.0.0.1:9', signed: true, hears: ['digests'] } },
  },
  testChannel: {
    role: 'operator',
    act: async ({ api }) => {
      expect(expectStatus(200, await api.admin('operator', 'POST', '/channels/on-call/test'))).toMatchObject({ outcome: 'waiting', error: expect.any(String) });
      return 'on-call';
    },
    entry: { action: 'test-channel', before: null, after: null },
  },
  removeChannel: {
    role: 'operator',
    act: async ({ api }) => {
      expectStatus(204, await api.admin('operator', 'DELETE', '/channels/on-call'));
      expectStatus(404, await api.admin('operator', 'DELETE', '/channels/on-call'));
      return 'on-call';
    },
    entry: { action: 'remove-channel', before: some({ kind: 'webhook' }), after: null },
  },
  replayDeadLetter: {
    role: 'operator',
    act: async ({ api, sql }) => {
      const id = await deadLetter(sql);
      expectStatus(200, await api.admin('operator', 'POST', `/dead-letters/${id}/replay`));
      return id;
    },
    entry: { action: 'replay-dead-letter', before: some({ state: 'waiting' }), after: some({ state: 'replayed' }) },
  },
  discardDeadLetter: {
    role: 'operator',
    act: async ({ api, sql }) => {
      const id = await deadLetter(sql);
      expectStatus(200, await api.admin('operator', 'POST', `/dead-letters/${id}/discard`, { reason: 'harmless' }));
      return id;
    },
    entry: { action: 'discard-dead-letter', reason: 'harmless', before: some({ state: 'waiting' }), after: some({ state: 'discarded' }) },
  },
};

/** Has the voucher sale sell two codes to one buyer, who pays. */
async function codesBought({ api, voucherId }: Stage): Promise<Stage['codes']> {
  expectStatus(200, await api.admin('merchant', 'POST', `/sales/${voucherId}/submit`));
  expectStatus(200, await api.admin('approver', 'POST', `/sales/${voucherId}/approve`));
  await untilOpen(api, voucherId);
  const buyer = api.buyer();
  const { reservationId } = expectStatus(202, await buyer.reserve(voucherId, [{ itemId: `${voucherId}-1`, quantity: 2 }]));
  await buyer.until(reservationId, ['ORDERED']);
  const { redirectUrl } = expectStatus(201, await buyer.startPayment(reservationId));
  await buyer.settle(redirectUrl, { outcome: 'capture' });
  await buyer.until(reservationId, ['FULFILLED']);
  return { orderId: reservationId, codes: expectStatus(200, await api.call('GET', `/v1/orders/${reservationId}`, { token: buyer.token })).codes };
}

async function untilOpen(api: Api, saleId: string): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (expectStatus(200, await api.admin('approver', 'GET', `/sales/${saleId}`)).state === 'OPEN') return;
    await nextPoll();
  }
}

/** A letter that concerns no order, as if its consumer had given up on it. */
async function deadLetter(sql: pg.Client): Promise<string> {
  const id = `dl-${randomUUID()}`;
  await sql.query(
    `INSERT INTO orders.dead_letter (id, queue, name, message_id, body, headers, reason, first_error, last_error, attempts, occurred_at, reservation_ids)
     VALUES ($1, 'notification.tell-buyer', 'order.paid', $1, '{}', '{}', 'test', 'test', 'test', 1, now(), '{}')`, [id]);
  return id;
}
