import { describe, expect, it } from '@jest/globals';

import { attempt, cleanWorld, said, say, yes, type World } from '../support/pretend-sale.js';
import { judgeChaos, type RunFacts } from './chaos-verdict.js';
import { Operations } from './operations.js';

function facts(change: (world: World) => unknown = () => undefined, more: Partial<RunFacts> = {}): RunFacts {
  const world = cleanWorld();
  change(world);
  const { counts } = new Operations();
  counts.reserve.ok = 3;
  return {
    sales: [{ name: 'main', told: world, records: { orders: world.orders, audit: world.audit } }], counts, expectedOperations: ['reserve'],
    hits: new Map([['place.after-commit', 1]]), neverSoldAgain: [], doubts: [], strangeLetters: 0, missingLetters: 0, ...more,
  };
}

describe('a run', () => {
  it('is valid when its records agree and everything was seen', () => {
    expect(judgeChaos(facts())).toEqual({ verdict: 'valid', classes: { lost: 0, unexpected: 0, duplicated: 0, takenBack: 0, wrong: 0 }, recovered: 1, findings: [] });
  });

  it.each<[string, RunFacts]>([
    ['a lost order', facts((w) => { w.orders = w.orders.filter((one) => one.id !== 'S.r2'); })],
    ['a key with two reservations', facts((w) => say(w, 'k1', yes('S.r9', 1)))],
    ['a broken audit', facts((w) => { w.audit.verdict = 'broken'; })],
    ['a Redis that differs when all is still', facts((w) => { w.audit.redisEqualsPostgres = false; })],
    ['a fault without an end', facts(() => undefined, { neverSoldAgain: ['redis-kill'] })],
    ['a dead letter of its own', facts(() => undefined, { strangeLetters: 1 })],
    ['poison that vanished', facts(() => undefined, { missingLetters: 1 })],
  ])('is invalid with %s', (_, one) => {
    expect(judgeChaos(one)).toMatchObject({ verdict: 'invalid', findings: [expect.any(String)] });
  });

  it.each<[string, RunFacts]>([
    ['a crash point where nobody died', facts(() => undefined, { hits: new Map([['place.after-commit', 0]]) })],
    ['an operation that was never done', facts(() => undefined, { expectedOperations: ['reserve', 'cancel'] })],
    ['a fault that could not be caused', facts(() => undefined, { doubts: ['broker-kill could not be caused'] })],
    ['a key without a lasting answer', facts((w) => attempt(w, 'k4', 'dan', [['S-2', 1]], [said('LOST', { reached: 'maybe' })]))],
    ['messages under way', facts((w) => { w.audit.settling = 1; w.audit.verdict = 'unknown'; })],
  ])('is unknown with %s', (_, one) => {
    expect(judgeChaos(one)).toMatchObject({ verdict: 'unknown', findings: [expect.stringContaining('unknown: ')] });
  });

  it('without its records is unknown', () => {
    const run = facts();
    expect(judgeChaos({ ...run, sales: [{ ...run.sales[0]!, records: { orders: null, audit: null } }] }).verdict).toBe('unknown');
  });

  it('is invalid rather than unknown', () => {
    expect(judgeChaos(facts((w) => say(w, 'k1', yes('S.r9', 1)), { doubts: ['something'] })).verdict).toBe('invalid');
  });
});
