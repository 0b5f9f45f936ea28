import { afterEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Api, nextPoll, type ApiAnswer, type Buyer } from '../support/api.js';
import { startPlatform, type Platform } from '../support/platform.js';

const minuteMs = 60_000;
const preload = `--import=${new URL('../../tools/src/chaos/skewed-clock.mjs', import.meta.url).href}`;
const skewed = (skewMs: number) => ({ NODE_OPTIONS: preload, CLOCK_SKEW_MS: String(skewMs) });

/** Five minutes off, in both directions at once: whoever compares its own clock with another's finds ten minutes between them. */
const clocks = {
  'gateway and seckill fast, order and promotion slow': { gateway: 5, seckill: 5, order: -5, promotion: -5 },
  'gateway and seckill slow, order and promotion fast': { gateway: -5, seckill: -5, order: 5, promotion: 5 },
} as const;

/** What one request showed. The test's clock is Redis's: both are this machine's. */
interface Seen {
  sentAtMs: number;
  answeredAtMs: number;
  code: string;
  judgedAtMs: number | null;
}

describe('promise: the window is Redis\'s, whatever the clocks of the services say', () => {
  let platform: Platform | undefined;
  afterEach(async () => {
    await platform?.stop();
    platform = undefined;
  });

  it.each(Object.entries(clocks))('%s', async (name, minutes) => {
    platform = await startPlatform({ serviceEnv: () => Promise.resolve(Object.fromEntries(Object.entries(minutes).map(([app, by]) => [app, skewed(by * minuteMs)]))) });
    const api = new Api(platform.run);
    const opensAtMs = Date.now() + 20_000; // armed by then, also on a busy machine
    const closesAtMs = opensAtMs + 6_000;
    const sale = await api.armedSale([{ quota: 100_000 }], { opensAt: new Date(opensAtMs).toISOString(), closesAt: new Date(closesAtMs).toISOString() });
    const attempts: Seen[] = [];
    const tokens: Seen[] = [];
    const shopping = Array.from({ length: 12 }, () => shop(api.buyer(), { saleId: sale.id, itemId: sale.items[0]!.id, fromMs: opensAtMs - 2_000, untilMs: closesAtMs + 1_000 }, attempts, tokens));
    await Promise.all(shopping);

    const accepted = attempts.filter((seen) => seen.code === 'ACCEPTED');
    const outside = accepted.filter((seen) => seen.judgedAtMs! < opensAtMs || seen.judgedAtMs! >= closesAtMs);
    const all = [...attempts, ...tokens];
    const refusedInside = all.filter((seen) => (seen.code === 'SALE_NOT_OPEN' && seen.sentAtMs >= opensAtMs) || (seen.code === 'SALE_ENDED' && seen.answeredAtMs < closesAtMs));
    expect({ outside, refusedInside }).toEqual({ outside: [], refusedInside: [] });
    // Both edges were really straddled, by many: thousands where the machine has nothing else to do.
    const counts = Object.fromEntries([...Map.groupBy(all, (seen) => seen.code)].map(([code, seen]) => [code, seen.length]));
    console.info(`clocks: ${name}: ${JSON.stringify(counts)}`);
    for (const code of ['ACCEPTED', 'SALE_NOT_OPEN', 'SALE_ENDED']) expect(counts[code]).toBeGreaterThan(40);
    expect(Object.keys(counts).filter((code) => !['ACCEPTED', 'TOKEN', 'SALE_NOT_OPEN', 'SALE_ENDED', 'ENTRY_TOKEN_INVALID'].includes(code))).toEqual([]);
  });
});

/** Tries without a pause: with a forged token until the sale opens, then with a real one. */
async function shop(buyer: Buyer, { saleId, itemId, fromMs, untilMs }: { saleId: string; itemId: string; fromMs: number; untilMs: number }, attempts: Seen[], tokens: Seen[]): Promise<void> {
  let entryToken = 'none-yet';
  while (Date.now() < fromMs) await nextPoll();
  while (Date.now() < untilMs) {
    if (entryToken === 'none-yet') {
      const given = await timed(() => buyer.api.call('POST', `/v1/sales/${saleId}/entry-token`, { token: buyer.token }));
      tokens.push(given.seen);
      if (given.answer.status === 200) entryToken = given.answer.body.token;
    }
    const tried = await timed(() => buyer.reserve(saleId, [{ itemId, quantity: 1 }], { key: randomUUID(), entryToken }));
    attempts.push(tried.seen);
  }
}

async function timed(call: () => Promise<ApiAnswer>): Promise<{ seen: Seen; answer: ApiAnswer }> {
  const sentAtMs = Date.now();
  const answer = await call();
  const code = answer.status === 202 ? 'ACCEPTED' : answer.status === 200 ? 'TOKEN' : String(answer.body.code);
  return { answer, seen: { sentAtMs, answeredAtMs: Date.now(), code, judgedAtMs: answer.status === 202 ? Date.parse(answer.body.judgedAt) : null } };
}
