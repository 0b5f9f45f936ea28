import { crashPoints, type CrashPoint, type CrashPointRow } from '@floodgate/platform';

import type { AppName } from '../supervisor/services.js';

/**
 * How a process is led to a crash point that the buyers alone do not lead it to. `redis`: Redis forgets, and is loaded anew. `unconfirmed`: seckill dies
 * with a reservation that it has not published. `forgotten`: seckill starts again, more than a minute after the broker lost reservations.
 * `withdrawal`: an operator takes a sale back.
 */
export type Story = 'buyers' | 'redis' | 'unconfirmed' | 'forgotten' | 'withdrawal';

const special: Partial<Record<CrashPoint, Story>> = {
  'rebuild.after-begin': 'redis', 'rebuild.after-fill': 'redis', 'rebuild.after-open': 'redis', 'rebuild.before-commit': 'redis', 'rebuild.after-commit': 'redis',
  'relay.before-publish': 'unconfirmed', 'relay.after-publish': 'unconfirmed', 'reap.after-publish': 'forgotten',
  'withdraw.before-commit': 'withdrawal', 'withdraw.after-commit': 'withdrawal',
};

/** Points that one in a handful of buyers leads to: passed seldom, so the first passage is the last. */
const seldom = /^(?:refund|reacquire|withdraw|rebuild|relay|reap|cancel|notice|payment)\./;

export const storyOf = (point: CrashPoint): Story => special[point] ?? 'buyers';
export const isSeldom = (point: CrashPoint): boolean => seldom.test(point);
export const allCrashPoints = Object.keys(crashPoints) as CrashPoint[];

/** Which processes pass the point in a run: where it is every service's, those that pass it all the time. */
export function passersOf(point: CrashPoint): readonly AppName[] {
  const { service }: CrashPointRow = crashPoints[point];
  if (service !== 'any') return [service];
  return point.startsWith('outbox.') ? ['order'] : ['order', 'seckill'];
}

/** Withdrawals need a sale each. */
export const withdrawalsMax = allCrashPoints.filter((point) => storyOf(point) === 'withdrawal').length;
