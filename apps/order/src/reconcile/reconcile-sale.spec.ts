import { describe, expect, it } from '@jest/globals';
import type { Reading } from './audit-sale.js';
import type { Drift } from './compare.js';
import { ReconcileSale } from './reconcile-sale.js';

const at = new Date('2026-11-28T10:00:00Z');
const row = { rid: 'S.r', accountId: 'a', ipHash: '', items: [{ itemId: 'S-1', quantity: 1 }], number: 1, reservedAtMs: at.getTime(), version: 1, holds: true, settled: false };
const drift = (rid: string): Drift => ({ kind: 'not-in-redis', lane: null, subject: rid, text: `${rid} has an order and is not in Redis` });

function reading(differences: Drift[], { redis = [], messages = 0, settling = 0 }: { redis?: [] | 'unreachable'; messages?: number | 'unreachable'; settling?: number } = {}): Reading {
  return {
    records: { postgres: { asOf: at, free: [], contradictions: [], items: [] }, redis, messages },
    result: { differences, settling },
  } as unknown as Reading;
}

/** Over readings that come one after the other; Postgres has an order for each reservation asked for. */
function reconciler(...readings: (Reading | null)[]): ReconcileSale {
  const rows = { ofReservations: async (_: unknown, _sale: string, rids: string[]) => rids.map((rid) => ({ ...row, rid, lane: 0 })), allotments: async () => [] };
  return new ReconcileSale({ once: async () => readings.shift() } as never, {} as never, rows as never, {} as never, {} as never);
}

describe('listing differences', () => {
  it('what only one of two readings shows is under way', async () => {
    const found = await reconciler(reading([drift('S.before'), drift('S.stays')]), reading([drift('S.stays'), drift('S.after')], { settling: 2 })).list('S');
    expect(found).toMatchObject({ ok: true, value: { settling: 2, mended: [], more: 0, differences: [{ kind: 'not-in-redis', subject: 'S.stays', lane: 0, redis: 'nothing', mend: 'resend' }] } });
  });

  it('reads once where nothing differs', async () => {
    expect(await reconciler(reading([])).list('S')).toEqual({ ok: true, value: { saleId: 'S', asOf: '2026-11-28T10:00:00.000Z', settling: 0, mended: [], differences: [], more: 0 } });
  });

  it('shows so many, and counts the rest', async () => {
    const many = Array.from({ length: 503 }, (_, number) => drift(`S.${number}`));
    const found = await reconciler(reading(many), reading(many)).list('S');
    expect(found).toMatchObject({ ok: true, value: { more: 3 } });
    expect(found.ok && found.value.differences).toHaveLength(500);
  });

  it.each([
    ['no such sale', [null], 'NOT_FOUND'], ['Redis is away', [reading([], { redis: 'unreachable' })], 'UNAVAILABLE'], ['the broker is away', [reading([], { messages: 'unreachable' })], 'UNAVAILABLE'],
    ['Redis goes away', [reading([drift('S.r')]), reading([], { redis: 'unreachable' })], 'UNAVAILABLE'],
  ] as const)('says so where there is %s', async (_, readings, code) => {
    expect(await reconciler(...readings).list('S')).toMatchObject({ ok: false, code });
  });
});
