import { describe, expect, it } from '@jest/globals';

import type { Answer } from '../scenario/http-client.js';
import { operationOf, resultOf, Operations } from './operations.js';

const answered = (status: number, more: { code?: string; replayed?: boolean } = {}): Answer => ({
  kind: 'answered', sentAtMs: 0, status, body: more.code === undefined ? {} : { code: more.code }, replayed: more.replayed ?? false,
});
const lost = (reached: 'no' | 'maybe'): Answer => ({ kind: 'lost', sentAtMs: 0, reached, why: 'ECONNRESET' });

describe('an operation', () => {
  it.each([
    ['POST', '/v1/sales/S/entry-token', 'entry'], ['POST', '/v1/sales/S/reservations', 'reserve'], ['POST', '/v1/orders/S.r/cancel', 'cancel'], ['POST', '/v1/orders/S.r/payments', 'pay'],
    ['POST', '/pay/123?x=1', 'click'], ['GET', '/v1/reservations/S.r', 'status'], ['GET', '/v1/orders/S.r', 'status'], ['POST', '/v1/admin/sales/S/pause', 'pause'],
    ['POST', '/v1/admin/sales/S/resume', 'resume'], ['POST', '/v1/admin/sales/S/close', 'close'], ['POST', '/v1/admin/sales/S/withdraw', 'withdraw'],
    ['POST', '/v1/admin/sales/S/items/S-1/stock', 'stock'], ['GET', '/v1/admin/sales/S/audit', 'other'], ['POST', '/v1/admin/sales', 'other'],
  ] as const)('%s %s is %s', (method, path, name) => {
    expect(operationOf({ method, path }, answered(200))).toBe(name);
  });

  it('is a replay when its answer says so', () => {
    expect(operationOf({ method: 'POST', path: '/v1/sales/S/reservations' }, answered(202, { replayed: true }))).toBe('replay');
  });

  it.each<[string, Answer, string]>([
    ['done', answered(202), 'ok'], ['refused', answered(409, { code: 'SOLD_OUT' }), 'fail'], ['not now, and nothing held', answered(503, { code: 'UNAVAILABLE' }), 'fail'],
    ['perhaps held', answered(503, { code: 'OUTCOME_UNKNOWN' }), 'unknown'], ['a fault', answered(500), 'unknown'], ['never sent', lost('no'), 'fail'], ['without an answer', lost('maybe'), 'unknown'],
  ])('that was %s', (_, answer, result) => {
    expect(resultOf(answer)).toBe(result);
  });

  it('is counted', () => {
    const operations = new Operations();
    operations.heard({ method: 'POST', path: '/v1/sales/S/reservations' }, answered(202));
    operations.heard({ method: 'POST', path: '/v1/sales/S/reservations' }, lost('maybe'));
    expect(operations.counts.reserve).toEqual({ ok: 1, fail: 0, unknown: 1 });
    expect([operations.total(), operations.total('unknown')]).toEqual([2, 1]);
  });
});
