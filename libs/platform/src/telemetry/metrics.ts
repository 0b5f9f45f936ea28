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

/** Where the values of a gauge come from: `read` is set by whoever has them, and asked at each scrape. */
export interface GaugeSource<L extends string> {
  read: () => Iterable<readonly [labels: Record<L, string>, value: number]>;
}

/**
 * A gauge without a memory: each scrape shows what `read` says then, so the series of what has ended end too. Reading must cost next to
 * nothing. Where tests run several services in one process, the last to set `read` is shown.
 */
export function gaugeFrom<L extends string = never>(name: string, help: string, ...labelNames: L[]): GaugeSource<L> {
  const source: GaugeSource<L> = { read: () => [] };
  void new Gauge<L>({
    name, help, labelNames, registers,
    collect() {
      this.reset();
      // Without labels a reset is a 0, and nobody has said 0.
      if (labelNames.length === 0) this.remove();
      for (const [labels, value] of source.read()) this.set(labels, value);
    },
  });
  return source;
}

export const published = new Counter({ name: 'floodgate_published_total', help: 'Publishes by outcome (confirmed, or the error code).', labelNames: ['message', 'outcome'], registers });
export const publishesPending = new Gauge({ name: 'floodgate_publishes_pending', help: 'Publishes that wait for their confirm.', registers });
export const confirmSeconds = new Histogram({ name: 'floodgate_confirm_seconds', help: 'From a publish to its confirm by the broker.', buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5], registers });
export const publisherState = gaugeFrom('floodgate_publisher_state', '1 for the state of the link that publishes, 0 for the others.', 'state');
export const handled = new Counter({ name: 'floodgate_messages_handled_total', help: 'Messages settled by what became of them.', labelNames: ['queue', 'outcome'], registers });
export const handlerSeconds = new Histogram({ name: 'floodgate_handler_seconds', help: 'Time in a message handler, per batch.', labelNames: ['queue'], buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10], registers });
export const messageAgeSeconds = new Histogram({ name: 'floodgate_message_age_seconds', help: 'Age of the oldest message of each batch when it was taken up.', labelNames: ['queue'], buckets: [0.005, 0.025, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 1_800], registers });
export const consumerUp = gaugeFrom('floodgate_consumer_up', '1 while this process takes messages from the queue, 0 while it is paused or has no channel.', 'queue');
export const queueMessages = gaugeFrom('floodgate_queue_messages', 'Messages of a queue that this process consumes: ready, retrying (in a tier), unsettled (here), dead (not yet in the table of dead letters).', 'queue', 'kind');
export const asked = new Counter({ name: 'floodgate_requests_asked_total', help: 'Requests to other services by outcome.', labelNames: ['request', 'outcome'], registers });
export const answered = new Counter({ name: 'floodgate_requests_answered_total', help: 'Requests answered by outcome.', labelNames: ['request', 'outcome'], registers });
export const outboxOldest = new Gauge({ name: 'floodgate_outbox_oldest_seconds', help: 'Age of the oldest message not yet handed to the broker.', registers });
