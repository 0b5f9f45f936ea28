import { problems } from '@floodgate/contracts';
import { gaugeFrom, metrics } from '@floodgate/platform';
import { Counter, Histogram } from 'prom-client';

export const reserveSeconds = new Histogram({ name: 'floodgate_reserve_seconds', help: 'From the arrival of the oldest attempt of a vector to the answer for all of it.', buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5], registers: [metrics] });
export const attemptsWaiting = gaugeFrom('floodgate_attempts_waiting', 'Attempts that wait to be sent to seckill.');
export const boardCurrent = gaugeFrom('floodgate_board_current', '1 while what this gateway knows of the sales is whole and fresh; on 0 every attempt goes to Redis.');
const refusals = new Counter({ name: 'floodgate_refusals_total', help: 'Requests refused, by code and, of limits, by scope.', labelNames: ['code', 'scope'], registers: [metrics] });
type Series = ReturnType<typeof refusals.labels>;
const scopes = new Set<unknown>(['ip', 'account', 'sale', 'item']);
const series = new Map<string, Series>();

// A counter that is born at 1 has, to whoever asks for a rate, never risen.
for (const code of Object.keys(problems)) refusals.inc({ code, scope: '' }, 0);

/** Counts a refusal; as many series as there are codes and scopes, whatever is sent. */
export function countRefusal(code: string, scope: unknown): void {
  const known = scopes.has(scope) ? String(scope) : '';
  const name = `${code} ${known}`;
  let one = series.get(name);
  // Looked up once: a lookup by labels costs more than a refusal from memory.
  if (!one) series.set(name, one = refusals.labels(code, known));
  one.inc();
}
