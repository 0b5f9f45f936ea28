import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** The process's metrics; apps register their own here. Served on the internal listener. */
export const metrics = new Registry();

let started = false;

/** Adds the runtime's metrics (event loop lag, garbage collection, memory, handles) and the service's name to every line. */
export function startDefaultMetrics(service: string): void {
  if (started) return;
  started = true;
  metrics.setDefaultLabels({ service });
  collectDefaultMetrics({ register: metrics });
}

const registers = [metrics];
export const published = new Counter({ name: 'floodgate_published_total', help: 'Publishes by outcome (confirmed, or the error code).', labelNames: ['message', 'outcome'], registers });
export const publishesPending = new Gauge({ name: 'floodgate_publishes_pending', help: 'Publishes that wait for their confirm.', registers });
export const handled = new Counter({ name: 'floodgate_messages_handled_total', help: 'Messages settled by what became of them.', labelNames: ['queue', 'outcome'], registers });
export const handlerSeconds = new Histogram({ name: 'floodgate_handler_seconds', help: 'Time in a message handler, per batch.', labelNames: ['queue'], buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10], registers });
export const asked = new Counter({ name: 'floodgate_requests_asked_total', help: 'Requests to other services by outcome.', labelNames: ['request', 'outcome'], registers });
export const answered = new Counter({ name: 'floodgate_requests_answered_total', help: 'Requests answered by outcome.', labelNames: ['request', 'outcome'], registers });
export const outboxOldest = new Gauge({ name: 'floodgate_outbox_oldest_seconds', help: 'Age of the oldest message not yet handed to the broker.', registers });
