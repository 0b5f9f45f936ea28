import type { AppName } from '../supervisor/services.js';

/** One kind of thing that can go wrong, as a row of the table that schedules, reports and docs are made of. */
export interface FaultKind {
  readonly what: string;
  /** The processes that it may strike, one at a time; absent: there is only one place for it. */
  readonly targets?: readonly AppName[];
  /** A complete run strikes every one of them. */
  readonly each?: boolean;
  /** How long it lasts, milliseconds; absent: a moment. */
  readonly lastsMs?: readonly [number, number];
  /** In long runs it may last longer: so many milliseconds more for each minute of the run, up to a minute and a half. */
  readonly perMinuteMs?: number;
  /** What it takes beside its own length until the next, recovery included, in seconds of an idle machine: so many fit into a run. */
  readonly seconds: number;
  /** From the moment the part is back, somebody must be sold something within so many seconds. */
  readonly sellsWithinSeconds: number;
  /** Redis knows less afterwards than before. */
  readonly forgets?: boolean;
}

const platformServices: readonly AppName[] = ['gateway', 'promotion', 'seckill', 'order', 'notification'];
const everybody: readonly AppName[] = [...platformServices, 'sandbox-payment'];
const server = { seconds: 6 } as const;

export const faultKinds = {
  'process-kill': { what: 'SIGKILL', targets: everybody, each: true, seconds: 4, sellsWithinSeconds: 5 },
  'process-freeze': { what: 'SIGSTOP, SIGCONT', targets: everybody, lastsMs: [1_000, 6_000], perMinuteMs: 2_000, seconds: 3, sellsWithinSeconds: 5 },
  'process-stop': { what: 'SIGTERM', targets: everybody, seconds: 5, sellsWithinSeconds: 5 },
  'process-skew': { what: 'a clock is set minutes wrong, and right again', targets: platformServices, each: true, lastsMs: [2_000, 6_000], seconds: 3, sellsWithinSeconds: 5 },
  crash: { what: 'SIGKILL at a crash point', seconds: 4, sellsWithinSeconds: 5 },
  'redis-kill': { what: 'Redis is killed and comes back with its file', ...server, sellsWithinSeconds: 30, forgets: true },
  'redis-empty': { what: 'FLUSHALL', ...server, sellsWithinSeconds: 30, forgets: true },
  'redis-rollback': { what: 'Redis comes back with an older append-only file', lastsMs: [2_000, 5_000], seconds: 7, sellsWithinSeconds: 30, forgets: true },
  'redis-script-flush': { what: 'SCRIPT FLUSH', ...server, sellsWithinSeconds: 30, forgets: true },
  'redis-freeze': { what: 'Redis: SIGSTOP, SIGCONT', lastsMs: [1_000, 6_000], seconds: 3, sellsWithinSeconds: 30 },
  'redis-cut': { what: 'connections to Redis are reset', seconds: 3, sellsWithinSeconds: 30 },
  'redis-mute': { what: 'Redis is heard no more, then connections are reset: what it answered is lost', lastsMs: [500, 4_000], seconds: 3, sellsWithinSeconds: 30 },
  'redis-stall': { what: 'what Redis says comes late, all at once', lastsMs: [500, 4_000], seconds: 3, sellsWithinSeconds: 30 },
  'redis-slow': { what: 'each way to and from Redis takes 20 ms longer', lastsMs: [2_000, 5_000], seconds: 2, sellsWithinSeconds: 30 },
  'broker-kill': { what: 'the broker is killed', seconds: 16, sellsWithinSeconds: 10 },
  'broker-stop-app': { what: 'rabbitmqctl stop_app, start_app', lastsMs: [1_000, 4_000], seconds: 11, sellsWithinSeconds: 10 },
  'broker-freeze': { what: 'the broker: SIGSTOP, SIGCONT', lastsMs: [1_000, 6_000], seconds: 3, sellsWithinSeconds: 10 },
  'broker-memory-alarm': { what: 'the broker blocks publishers: memory alarm', lastsMs: [2_000, 5_000], seconds: 6, sellsWithinSeconds: 10 },
  'broker-disk-alarm': { what: 'the broker blocks publishers: disk alarm', lastsMs: [2_000, 5_000], seconds: 6, sellsWithinSeconds: 10 },
  'broker-cut': { what: 'connections to the broker are reset', seconds: 4, sellsWithinSeconds: 10 },
  'broker-mute': { what: 'the broker is heard no more, then connections are reset: its confirms are lost', lastsMs: [500, 4_000], seconds: 4, sellsWithinSeconds: 10 },
  'broker-stall': { what: 'what the broker says comes late, all at once', lastsMs: [500, 4_000], seconds: 3, sellsWithinSeconds: 10 },
  'broker-slow': { what: 'each way to and from the broker takes 20 ms longer', lastsMs: [2_000, 5_000], seconds: 2, sellsWithinSeconds: 10 },
  'broker-loses-messages': { what: 'reservations that the broker had confirmed are gone from its queue', seconds: 5, sellsWithinSeconds: 10 },
  'messages-again': { what: 'every message once more, the newest first', lastsMs: [1_500, 4_000], seconds: 2, sellsWithinSeconds: 10 },
  'messages-poison': { what: 'messages that nobody can read, in every queue that carries promises', seconds: 2, sellsWithinSeconds: 10 },
  'postgres-stop': { what: 'Postgres: immediate stop', ...server, sellsWithinSeconds: 10 },
  'postgres-terminate': { what: 'pg_terminate_backend of every session', seconds: 3, sellsWithinSeconds: 10 },
  'postgres-cut': { what: 'connections to Postgres are reset', seconds: 3, sellsWithinSeconds: 10 },
  'postgres-mute': { what: 'Postgres is heard no more, then connections are reset: answers to COMMIT are lost', lastsMs: [500, 4_000], seconds: 3, sellsWithinSeconds: 10 },
  'postgres-stall': { what: 'what Postgres says comes late, all at once', lastsMs: [500, 4_000], seconds: 3, sellsWithinSeconds: 10 },
  'postgres-slow': { what: 'each way to and from Postgres takes 20 ms longer', lastsMs: [2_000, 5_000], seconds: 2, sellsWithinSeconds: 10 },
} as const satisfies Record<string, FaultKind>;

export type FaultName = keyof typeof faultKinds;
export const faultNames = Object.keys(faultKinds) as FaultName[];
/** The longest that anything lasts. */
const lastsMaxMs = 90_000;

/** How long a fault of this kind may last in a run of so many minutes. */
export function lengthsOf(name: FaultName, minutes: number): readonly [number, number] {
  const { lastsMs: [least, most] = [0, 0], perMinuteMs = 0 } = faultKind(name);
  return [least, Math.min(Math.max(lastsMaxMs, most), most + Math.round(perMinuteMs * Math.max(0, minutes - 6)))];
}

export const faultKind = (name: FaultName): FaultKind => faultKinds[name];
