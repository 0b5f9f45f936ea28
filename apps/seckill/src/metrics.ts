import { metrics } from '@floodgate/platform';
import { Counter, Gauge, Histogram } from 'prom-client';

const registers = [metrics];
export const attemptsDecided = new Counter({ name: 'floodgate_attempts_total', help: 'Attempts by the word they were answered with.', labelNames: ['word'], registers });
export const vectorAttempts = new Histogram({ name: 'floodgate_vector_attempts', help: 'Attempts per vector.', buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256], registers });
export const vectorsInFlight = new Gauge({ name: 'floodgate_vectors_in_flight', help: 'Vectors between arrival and answer.', registers });
export const suspicions = new Counter({ name: 'floodgate_fence_suspicions_total', help: 'Times that all lanes were closed, by reason.', labelNames: ['reason'], registers });
export const lanesClosed = new Gauge({ name: 'floodgate_lanes_closed', help: 'Lanes known that this process does not sell from.', registers });
export const rebuildsAsked = new Counter({ name: 'floodgate_rebuilds_asked_total', help: 'Requests to load lanes again.', registers });
export const lanesLoaded = new Counter({ name: 'floodgate_lanes_loaded_total', help: 'Lanes put into Redis, by reason.', labelNames: ['reason'], registers });
export const relayLength = new Gauge({ name: 'floodgate_relay_length', help: 'Vectors whose message is not known to be confirmed.', labelNames: ['lane'], registers });
export const relayOldestSeconds = new Gauge({ name: 'floodgate_relay_oldest_seconds', help: 'Age of the oldest of them, 0 if there is none.', labelNames: ['lane'], registers });
export const republished = new Counter({ name: 'floodgate_republished_total', help: 'Reservations published again, by who found them.', labelNames: ['by'], registers });
export const rowsSynced = new Counter({ name: 'floodgate_rows_synced_total', help: 'Rows of Postgres by what Redis made of them.', labelNames: ['outcome'], registers });
