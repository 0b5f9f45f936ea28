import { appendFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { CrashConfig } from './config/crash-config.js';

/**
 * Where a process may be told to die, each at a border between what is known here and what is known elsewhere: the places that a test
 * must have killed at before it may say that nothing gets lost. `service`: whose code it is; `any`: every one that uses it. `hitBy`: the test
 * that kills there, where no ordinary story of a buyer passes.
 */
export const crashPoints = {
  // Seckill: Redis has decided, the broker knows nothing yet.
  'reserve.after-lua': { service: 'seckill', means: 'Redis holds the units, and nobody else knows' },
  'reserve.before-publish': { service: 'seckill', means: 'the reservation stands in this epoch, its message is about to go' },
  'reserve.after-publish': { service: 'seckill', means: 'the message is handed to the link and not confirmed' },
  'reserve.after-confirm': { service: 'seckill', means: 'the broker has the message, the relay entry stands and nobody was answered' },
  'relay.before-publish': { service: 'seckill', means: 'an unconfirmed reservation was found and not sent again yet' },
  'relay.after-publish': { service: 'seckill', means: 'it was sent again and confirmed, its relay entry stands' },
  'reap.after-publish': { service: 'seckill', means: 'what Postgres never spoke of was sent again' },
  'sync.before-redis': { service: 'seckill', means: 'what Postgres decided has come and Redis does not know' },
  'sync.after-redis': { service: 'seckill', means: 'Redis knows, the message is not acknowledged' },
  'rebuild.after-begin': { service: 'seckill', means: 'the lanes have their new epoch and are closed' },
  'rebuild.after-fill': { service: 'seckill', means: 'the rows are in Redis, the lanes are closed' },
  'rebuild.after-open': { service: 'seckill', means: 'the lanes sell, nobody was told' },

  // Messaging, in every service.
  'confirm.before': { service: 'any', means: 'the broker has confirmed a message, whoever published it has not heard' },
  'consume.before-ack': { service: 'any', means: 'the effect of a message is safe, the message is not acknowledged' },
  'outbox.before-publish': { service: 'any', means: 'outbox rows are locked and not sent' },
  'outbox.after-publish': { service: 'any', means: 'outbox rows were sent and confirmed, and stand' },
  'outbox.after-commit': { service: 'any', means: 'outbox rows were sent and are gone' },

  // Order: the saga and its drivers.
  'saga.after-step': { service: 'order', means: 'a step was done, its transaction is open' },
  'saga.after-undo': { service: 'order', means: 'a step was undone, its transaction is open' },
  'place.before-commit': { service: 'order', means: 'reservations are judged, nothing is committed' },
  'place.after-commit': { service: 'order', means: 'the orders are there, nobody was told' },
  'sweep.before-commit': { service: 'order', means: 'orders that are due become CLOSING, nothing is committed' },
  'sweep.after-commit': { service: 'order', means: 'orders that were due are CLOSING' },
  'close.before-provider': { service: 'order', means: 'an order is CLOSING, the provider was not asked' },
  'close.after-provider': { service: 'order', means: 'the provider has closed the payment, the order still holds its units' },
  'close.before-commit': { service: 'order', means: 'orders are released, nothing is committed' },
  'close.after-commit': { service: 'order', means: 'orders are released, nobody was told' },
  'notice.before-commit': { service: 'order', means: 'what the provider said was judged, nothing is committed' },
  'notice.after-commit': { service: 'order', means: 'what the provider said has had its effect, it was not answered' },
  'payment.before-provider': { service: 'order', means: 'a payment is written down that the provider does not know' },
  'payment.after-provider': { service: 'order', means: 'the provider has opened a payment, nobody has its address' },
  'payment.after-commit': { service: 'order', means: 'a payment is open, the buyer was not answered' },
  'refund.before-provider': { service: 'order', means: 'a refund is asked for, the provider does not know' },
  'refund.after-provider': { service: 'order', means: 'the provider has given the money back, our book does not know' },
  'refund.after-commit': { service: 'order', means: 'the money is back in both books' },
  'reacquire.before-door': { service: 'order', means: 'late money shall buy its units again, the door was not asked' },
  'reacquire.after-door': { service: 'order', means: 'the door has answered, nothing of it is written down' },
  'reacquire.before-commit': { service: 'order', means: 'late money has bought its order or is given back, nothing is committed' },
  'reacquire.after-commit': { service: 'order', means: 'late money has bought its order or is given back, nobody was told' },
  'cancel.before-commit': { service: 'order', means: 'a cancel was judged, nothing is committed' },
  'cancel.after-commit': { service: 'order', means: 'a cancel is under way or done, the buyer was not answered' },
  'withdraw.before-commit': { service: 'order', means: 'a page of a withdrawn sale is on its way out, nothing is committed' },
  'withdraw.after-commit': { service: 'order', means: 'a page of a withdrawn sale is on its way out, the next is not' },
  'rebuild.before-commit': { service: 'order', means: 'epochs are raised, nothing is committed' },
  'rebuild.after-commit': { service: 'order', means: 'epochs are raised, nobody was told' },
} as const satisfies Record<string, CrashPointRow>;
export type CrashPoint = keyof typeof crashPoints;

export interface CrashPointRow {
  readonly service: 'any' | 'order' | 'seckill';
  readonly means: string;
  readonly hitBy?: string;
}

const logName = 'passages.log';
export const armFileOf = (folder: string, service: string): string => path.join(folder, `${service}.armed`);
export const crashLogOf = (folder: string): string => path.join(folder, logName);

let watching = false;
let service = '';
let folder: string | undefined;
let armed: { point: CrashPoint; left: number } | undefined;
const passages = new Map<CrashPoint, number>();

/** One of the borders of {@link crashPoints}. Costs one look at a variable, unless the process was started to be killed. */
export function crashPoint(point: CrashPoint): void {
  if (watching) pass(point);
}

/**
 * From now on the process dies at the point it is armed with, `point` or `point@nth` (the first passage counts as 1): the one of the
 * configuration, or one that `<service>.armed` in the configured folder holds now or when SIGUSR2 comes. That file is taken away as it
 * is read, so that the next process lives. The folder's passages.log gets a line `service pid point count passed|killed` for the first passage
 * of each point and for each death, written before it happens.
 * @throws Error for a point that is not in the table
 */
export function armCrashPoints(name: string, config: CrashConfig): void {
  if (config.CRASH_POINT === undefined && config.CRASH_DIR === undefined) return;
  watching = true;
  service = name;
  folder = config.CRASH_DIR;
  if (config.CRASH_POINT !== undefined) arm(config.CRASH_POINT);
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  armFromFile();
  process.on('SIGUSR2', armFromFile);
}

function armFromFile(): void {
  const file = armFileOf(folder!, service);
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch {
    return; // there is none: nothing to be killed at
  }
  rmSync(file, { force: true });
  arm(text);
}

function arm(text: string): void {
  const [point = '', nth = '1'] = text.split('@');
  if (!Object.hasOwn(crashPoints, point) || !/^[1-9]\d*$/.test(nth)) throw new Error(`there is no crash point ${text}`);
  armed = { point: point as CrashPoint, left: Number(nth) };
}

function pass(point: CrashPoint): void {
  const count = (passages.get(point) ?? 0) + 1;
  passages.set(point, count);
  if (count === 1) note(point, count, 'passed');
  if (armed?.point !== point || --armed.left > 0) return;
  note(point, count, 'killed');
  // No handler, no flush, no exit code: what a machine that loses its power does.
  process.kill(process.pid, 'SIGKILL');
}

function note(point: CrashPoint, count: number, what: 'passed' | 'killed'): void {
  if (folder !== undefined) appendFileSync(crashLogOf(folder), `${service} ${process.pid} ${point} ${count} ${what}\n`);
}
