import { metrics } from '@floodgate/platform';
import { Counter } from 'prom-client';

const refusals = new Counter({ name: 'floodgate_refusals_total', help: 'Requests refused, by code and, of limits, by scope.', labelNames: ['code', 'scope'], registers: [metrics] });
type Series = ReturnType<typeof refusals.labels>;
const scopes = new Set<unknown>(['ip', 'account', 'sale', 'item']);
const series = new Map<string, Series>();

/** Counts a refusal; as many series as there are codes and scopes, whatever is sent. */
export function countRefusal(code: string, scope: unknown): void {
  const known = scopes.has(scope) ? String(scope) : '';
  const name = `${code} ${known}`;
  let one = series.get(name);
  // Looked up once: a lookup by labels costs more than a refusal from memory.
  if (!one) series.set(name, one = refusals.labels(code, known));
  one.inc();
}
