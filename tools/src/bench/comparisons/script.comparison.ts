import { perSecond, type Measurement } from '../measurement.js';
import { measurePrograms } from '../program.js';
import { times, type Comparison } from './comparison.js';

/** One vector of a busy gateway; see docs/performance.md. */
const vector = 64;
const units = 100_000_000;
const redisCpu = ({ cpuUs, operations }: Measurement): number => cpuUs['redis']! / operations;

const subjects: Readonly<Record<string, { program: string; vector: number }>> = {
  'a vector a call': { program: 'script', vector },
  'an attempt a call': { program: 'script', vector: 1 },
  'tutorial': { program: 'tutorial-script', vector: 1 },
};

function scriptComparison(name: string, title: string, onSale: number, targets: Comparison['targets']): Comparison {
  return {
    name, title, targets, operation: 'attempt', subjects: Object.keys(subjects),
    measure: (arena, subject, options) => {
      const { redis } = arena.servers;
      const { program, vector } = subjects[subject]!;
      const env = { REDIS_URL: redis.url, PEER: 'script', VECTOR: String(vector), UNITS: String(onSale) };
      return measurePrograms({ asks: { name: program, env }, answers: [], servers: { redis: redis.pid } }, options);
    },
  };
}

/** The script that decides who wins, a vector of attempts a call or one. */
export const scriptReserved = scriptComparison('script-reserved', `The script: attempts that win, ${vector} a call or one`, units, [
  { name: 'attempts per second, a vector a call ÷ an attempt a call', of: times(perSecond, 'a vector a call', 'an attempt a call'), sense: 'at-least', must: 2.5, stretch: 4 },
  { name: 'CPU of Redis, an attempt a call ÷ a vector a call', of: times(redisCpu, 'an attempt a call', 'a vector a call'), sense: 'at-least', must: 2.5, stretch: 4 },
]);
export const scriptSoldOut = scriptComparison('script-sold-out', `The script: attempts in a sale that is sold out, ${vector} a call or one`, 0, [
  { name: 'CPU of Redis, an attempt a call ÷ a vector a call', of: times(redisCpu, 'an attempt a call', 'a vector a call'), sense: 'at-least', must: 8, stretch: 12 },
]);
