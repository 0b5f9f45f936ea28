/** One graph: queries by legend. `{{label}}` in a legend stands for the label's value. */
export interface Panel {
  readonly title: string;
  /** Grafana's name of the unit: short, s, percentunit, bytes, reqps. */
  readonly unit: string;
  readonly queries: Readonly<Record<string, string>>;
  /** For whoever does not know what it should look like. */
  readonly says: string;
}

export interface Dashboard {
  readonly title: string;
  /** Choices at the top; each is a query for a label's values. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly panels: readonly Panel[];
}

const perSecond = (what: string, range = '1m'): string => `sum(rate(${what}[${range}]))`;
const quantile = (q: number, name: string, by: string, range = '2m'): string => `histogram_quantile(${q}, sum by (le${by && `, ${by}`}) (rate(${name}_bucket[${range}])))`;

/** Every dashboard, by the name of its file. `npm run docs` writes them. */
export const dashboards: Readonly<Record<string, Dashboard>> = {
  'opening-minute': {
    title: 'Floodgate: opening minute',
    panels: [
      { title: 'Pipeline', unit: 'reqps', says: 'Each step lets fewer through than the one before; reserved, confirmed and committed run together.', queries: {
        attempted: perSecond('floodgate_requests_total{class="reservations"}'),
        admitted: perSecond('floodgate_attempts_total'),
        reserved: perSecond('floodgate_attempts_total{word="reserved"}'),
        confirmed: perSecond('floodgate_reservations_confirmed_total'),
        committed: perSecond('floodgate_orders_total{state="PENDING"}'),
        paid: perSecond('floodgate_orders_total{state="PAID"}'),
        closed: perSecond('floodgate_orders_total{state="CLOSED"}'),
      } },
      { title: 'Refusals by code', unit: 'reqps', says: 'SOLD_OUT is the normal end. UNAVAILABLE and OUTCOME_UNKNOWN are ours.', queries: { '{{code}}': 'sum by (code) (rate(floodgate_refusals_total[1m])) > 0 or sum by (code) (rate(floodgate_refusals_total{code="SOLD_OUT"}[1m]))' } },
      { title: 'What Redis answered', unit: 'reqps', says: 'By word: reserved, replayed, sold-out and so on.', queries: { '{{word}}': 'sum by (word) (rate(floodgate_attempts_total[1m]))' } },
      { title: 'Time to the answer', unit: 's', says: 'Of the oldest attempt of each vector; the promise is 250 ms (p99).', queries: { p50: quantile(0.5, 'floodgate_reserve_seconds', ''), p99: quantile(0.99, 'floodgate_reserve_seconds', '') } },
      { title: 'From 202 to the order', unit: 's', says: 'What buyers wait for after they were told yes; the promise is 5 s (p99).', queries: { p50: quantile(0.5, 'floodgate_accepted_to_decided_seconds', ''), p99: quantile(0.99, 'floodgate_accepted_to_decided_seconds', '') } },
      { title: 'Units left in Redis', unit: 'short', says: 'Falls to 0 and stays, but for what comes back.', queries: { '{{sale}}': 'max by (sale) (floodgate_redis_units{kind="available"})' } },
      { title: 'Under way, of what may be', unit: 'percentunit', says: 'At 1 requests of that class are refused as OVERLOADED.', queries: { '{{class}}': 'max by (class) (floodgate_in_flight / on (service, instance, class) floodgate_in_flight_limit)' } },
      { title: 'Waiting', unit: 'short', says: 'Attempts at the gateways that are not sent yet, vectors in seckill, publishes without a confirm.', queries: {
        'attempts waiting': 'sum(floodgate_attempts_waiting)', 'vectors in flight': 'sum(floodgate_vectors_in_flight)', 'publishes pending ({{service}})': 'sum by (service) (floodgate_publishes_pending)',
      } },
      { title: 'Confirm by the broker, p99', unit: 's', says: 'Each reservation waits for one; above 2 s the outcome is unknown.', queries: { '{{service}}': quantile(0.99, 'floodgate_confirm_seconds', 'service') } },
      { title: 'Answers "not now"', unit: 'percentunit', says: 'The error budget is 0.1 %.', queries: { '5 minutes': 'floodgate:unavailable:ratio_rate5m', '1 hour': 'floodgate:unavailable:ratio_rate1h' } },
    ],
  },
  queues: {
    title: 'Floodgate: queues',
    panels: [
      { title: 'Waiting', unit: 'short', says: 'Ready, in a retry tier, or taken up and not settled.', queries: { '{{queue}}': 'floodgate:queue_waiting' } },
      { title: 'Drained in', unit: 's', says: 'At the pace of the last minute, if nothing more came. A day: it does not move.', queries: { '{{queue}}': 'floodgate:queue_drain_seconds' } },
      { title: 'Age when taken up, p99', unit: 's', says: 'Of the oldest message of each batch.', queries: { '{{queue}}': quantile(0.99, 'floodgate_message_age_seconds', 'queue') } },
      { title: 'Settled', unit: 'reqps', says: 'By queue.', queries: { '{{queue}}': 'sum by (queue) (rate(floodgate_messages_handled_total{outcome="done"}[1m]))' } },
      { title: 'Not done', unit: 'reqps', says: 'Tried again, split, or given up as dead letters.', queries: { '{{queue}} {{outcome}}': 'sum by (queue, outcome) (rate(floodgate_messages_handled_total{outcome!="done"}[5m]))' } },
      { title: 'In retry tiers', unit: 'short', says: 'They come again after 1 s, 10 s, a minute, ten minutes.', queries: { '{{queue}}': 'max by (queue) (floodgate_queue_messages{kind="retrying"})' } },
      { title: 'Dead letters', unit: 'short', says: 'Of which nobody has decided, and those not yet in the table.', queries: { waiting: 'max(floodgate_dead_letters_waiting)', 'not in the table': 'sum(max by (queue) (floodgate_queue_messages{kind="dead"}))' } },
      { title: 'Time in a handler, p99', unit: 's', says: 'Per batch.', queries: { '{{queue}}': quantile(0.99, 'floodgate_handler_seconds', 'queue') } },
      { title: 'Outboxes and relay: the oldest', unit: 's', says: 'Committed, or reserved, and not known to be with the broker.', queries: { 'outbox of {{service}}': 'max by (service) (floodgate_outbox_oldest_seconds)', 'relay {{lane}}': 'max by (lane) (floodgate_relay_oldest_seconds)' } },
      { title: 'Consuming', unit: 'short', says: '1, or 0 while it rests because something it needs is away.', queries: { '{{queue}}': 'min by (queue) (floodgate_consumer_up)' } },
    ],
  },
  'stock-and-audit': {
    title: 'Floodgate: stock and audit',
    variables: { sale: 'label_values(floodgate_stock_units, sale)' },
    panels: [
      { title: 'Units by fate', unit: 'short', says: 'Together they are the quota, always.', queries: { '{{fate}}': 'max by (fate) (floodgate_stock_units{sale=~"$sale"})' } },
      { title: 'Units without a fate', unit: 'short', says: 'The invariant. Not 0: a fault.', queries: { 'without a fate ({{sale}})': 'max by (sale) (floodgate_stock_unaccounted_units{sale=~"$sale"})', 'oversold ({{sale}})': 'max by (sale) (floodgate_oversold_units{sale=~"$sale"})' } },
      { title: 'Postgres less Redis', unit: 'short', says: 'Above 0 while reservations are under way; never below; 0 at rest.', queries: { '{{sale}}': 'floodgate:available_difference{sale=~"$sale"}' } },
      { title: 'Single differences', unit: 'short', says: 'Reservations and counters that Redis and Postgres tell differently, by kind, and sales of which nobody could say; 0.', queries: { '{{kind}}': 'max by (kind) (floodgate_drift)', 'sales unread': 'max(floodgate_drift_sales_unread)' } },
      { title: 'Oldest single difference', unit: 's', says: 'Above two minutes somebody should look.', queries: { oldest: 'max(floodgate_drift_oldest_seconds)' } },
      { title: 'Orders by end', unit: 'reqps', says: 'Paid, or closed for which reason.', queries: { '{{state}} {{reason}}': 'sum by (state, reason) (rate(floodgate_orders_total{state!="PENDING"}[5m]))' } },
      { title: 'From 202 to paid or closed', unit: 's', says: 'At most the payment window and a little.', queries: { p50: quantile(0.5, 'floodgate_accepted_to_final_seconds', '', '10m'), p99: quantile(0.99, 'floodgate_accepted_to_final_seconds', '', '10m') } },
      { title: 'Oldest reservation without a word', unit: 's', says: 'As of the last sweep; above two minutes somebody should look.', queries: { oldest: 'max(floodgate_reservation_unspoken_oldest_seconds)' } },
      { title: 'Closing late', unit: 's', says: 'Of the oldest unpaid order past its time, and of the oldest that waits for its provider.', queries: { unpaid: 'max(floodgate_close_lag_seconds)', closing: 'max(floodgate_closing_oldest_seconds)' } },
      { title: 'Sagas that do not get on', unit: 'short', says: 'By what they wait for.', queries: { '{{kind}}': 'max by (kind) (floodgate_sagas_stuck)' } },
      { title: 'Fence', unit: 'short', says: 'Lanes that are closed because Redis may have forgotten, and how often that was suspected.', queries: { 'closed lanes': 'max(floodgate_lanes_closed)', loads: 'sum(floodgate_lanes_loaded_total)' } },
      { title: 'Redis memory', unit: 'percentunit', says: 'At 1 it refuses reservations.', queries: { used: 'max(floodgate_redis_memory_bytes{kind="used"}) / max(floodgate_redis_memory_bytes{kind="limit"} > 0)' } },
    ],
  },
  service: {
    title: 'Floodgate: one service',
    variables: { service: 'label_values(up{job="floodgate"}, service)' },
    panels: [
      { title: 'Up', unit: 'short', says: 'Answers its scrape.', queries: { '{{instance}}': 'up{job="floodgate", service=~"$service"}' } },
      { title: 'CPU', unit: 'percentunit', says: 'One process can use little more than one core.', queries: { '{{instance}}': 'rate(process_cpu_seconds_total{service=~"$service"}[1m])' } },
      { title: 'Event loop is late by', unit: 's', says: 'p99; everything in the process is.', queries: { '{{instance}}': 'nodejs_eventloop_lag_p99_seconds{service=~"$service"}' } },
      { title: 'Memory', unit: 'bytes', says: 'Resident, and of it the heap.', queries: { 'resident {{instance}}': 'process_resident_memory_bytes{service=~"$service"}', 'heap {{instance}}': 'nodejs_heap_size_used_bytes{service=~"$service"}' } },
      { title: 'Garbage collection', unit: 'percentunit', says: 'Share of the time.', queries: { '{{kind}}': 'sum by (kind) (rate(nodejs_gc_duration_seconds_sum{service=~"$service"}[1m]))' } },
      { title: 'Requests asked of others', unit: 'reqps', says: 'By outcome.', queries: { '{{request}} {{outcome}}': 'sum by (request, outcome) (rate(floodgate_requests_asked_total{service=~"$service"}[1m]))' } },
      { title: 'Requests answered', unit: 'reqps', says: 'By outcome.', queries: { '{{request}} {{outcome}}': 'sum by (request, outcome) (rate(floodgate_requests_answered_total{service=~"$service"}[1m]))' } },
      { title: 'Published', unit: 'reqps', says: 'By outcome; anything but confirmed is tried again.', queries: { '{{outcome}}': 'sum by (outcome) (rate(floodgate_published_total{service=~"$service"}[1m]))' } },
      { title: 'Link that publishes', unit: 'short', says: '1 for its state of now.', queries: { '{{state}}': 'max by (state) (floodgate_publisher_state{service=~"$service"})' } },
      { title: 'Servers', unit: 'short', says: 'Whether Postgres and Redis answer; their clocks; the oldest transaction.', queries: {
        Postgres: 'max(floodgate_postgres_up)', Redis: 'max(floodgate_redis_up)', 'clock of {{server}}': 'max by (server) (floodgate_clock_skew_seconds)', 'oldest transaction': 'max(floodgate_postgres_oldest_transaction_seconds)',
      } },
    ],
  },
};

/** Every query of a dashboard, with Grafana's variables as they are. */
export const queriesOf = ({ panels }: Dashboard): string[] => panels.flatMap(({ queries }) => Object.values(queries));
