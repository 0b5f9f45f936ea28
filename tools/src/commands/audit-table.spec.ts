import { createHmac } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';

import { formatAudit, type Audit } from './audit-table.js';
import { auditorToken } from './staff-token.js';

const audit: Audit = {
  verdict: 'broken', saleId: 's1', asOf: '2026-11-01T00:00:00.000Z', settling: 0, oversold: 0, lost: 1, duplicated: 0, unexplained: 0, redisEqualsPostgres: false,
  items: [
    { itemId: 'fine', quota: 10, available: 4, held: 1, sold: 5, burned: 0, redisAvailable: 4 },
    { itemId: 'odd', quota: 10, available: 4, held: 1, sold: 4, burned: 0, redisAvailable: null },
  ],
  payments: { captured: 4, refunded: 0 },
};

describe('the audit as text', () => {
  it('shows items that do not add up first, then totals and the verdict last', () => {
    const lines = formatAudit(audit);
    expect(lines.slice(1, 5)).toEqual([
      'item  quota  available  held  sold  burned  redisAvailable',
      'odd      10          4     1     4       0               -',
      'fine     10          4     1     5       0               4',
      'all      20          8     2     9       0               4',
    ]);
    expect(lines.join('\n')).toContain('DIFFERS FROM');
    expect(lines.at(-1)).toBe('verdict: broken');
  });
});

describe('the auditor token', () => {
  it('is an HS256 token of the secret, with the one role and a short life', () => {
    const [head, body, signature] = auditorToken('secret', 1_000_000).split('.');
    expect(createHmac('sha256', 'secret').update(`${head}.${body}`).digest('base64url')).toBe(signature);
    expect(JSON.parse(Buffer.from(body!, 'base64url').toString())).toEqual({ sub: 'audit-command', roles: ['auditor'], iat: 1000, exp: 1060 });
  });
});
