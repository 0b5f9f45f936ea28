import { releaseReasons } from '@floodgate/contracts';
import { metrics } from '@floodgate/platform';
import { Counter, Histogram } from 'prom-client';
import type { OrderRow } from './order.row.js';

const registers = [metrics];
const became = new Counter({ name: 'floodgate_orders_total', help: 'Orders by the state that they came to, and of those closed the reason.', labelNames: ['state', 'reason'], registers });
const decidedSeconds = new Histogram({ name: 'floodgate_accepted_to_decided_seconds', help: 'From a reservation in Redis to its first row in Postgres.', buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300], registers });
const finalSeconds = new Histogram({ name: 'floodgate_accepted_to_final_seconds', help: 'From a reservation in Redis to its end: paid, or closed.', buckets: [1, 5, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200], registers });

// A counter that is born at 1 has, to whoever asks for a rate, never risen.
for (const state of ['PENDING', 'PAID', 'FULFILLED']) became.inc({ state, reason: '' }, 0);
for (const reason of releaseReasons) became.inc({ state: 'CLOSED', reason }, 0);

/** Counts orders that came to a state, after the commit that brought them there: once per transaction and state, not once per order. */
export function countOrders(orders: readonly OrderRow[]): void {
  for (const [key, group] of Map.groupBy(orders, ({ state, reason }) => `${state} ${state === 'CLOSED' ? reason : ''}`)) {
    const [state, reason] = key.split(' ') as [string, string];
    became.inc({ state, reason }, group.length);
  }
  for (const order of orders) {
    const seconds = Math.max(0, order.updatedAt.getTime() - order.reservedAt.getTime()) / 1_000;
    if (order.version === 1) decidedSeconds.observe(seconds);
    if (order.state === 'PAID' || order.state === 'CLOSED') finalSeconds.observe(seconds);
  }
}
