import type { CrashPoint } from '@floodgate/platform';

import type { AppName } from '../supervisor/services.js';
import type { Arena } from './arena.js';
import { causes } from './causes.js';
import { storyOf, type Story } from './crash-stories.js';
import { startsWithinMs } from './crashes.js';
import { eventually } from '../support/eventually.js';
import type { FaultName } from './faults.js';
import type { Step } from './schedule.js';

/** How long buyers may take to lead a process to its point: the rarest of them is a payment that comes late. */
const hitWithinMs = 90_000;
const pollMs = 20;
/** The reaper takes up what nobody spoke of for a minute. */
const unspokenMs = 61_000;

/** What the stories of crash points need to know and do besides the arena. */
export interface Staging {
  /** When the broker last lost messages, epoch; null: it has not. */
  readonly messagesLostAtMs: number | null;
  withdrawSale(): Promise<void>;
}

/** Arms the point, tells its story, and waits for the death and the next life of the process. Resolves to whether it died there. */
export async function crash(arena: Arena, staging: Staging, step: Step): Promise<boolean> {
  const point = step.point!;
  const target = step.target!;
  const before = arena.crashes.hits(point);
  const hit = (): boolean => arena.crashes.hits(point) > before;
  const arm = (quietMs?: number): Promise<void> => arena.crashes.arm(target, point, step.nth, quietMs);
  await stories[storyOf(point)](arena, { arm, step, staging });
  const untilMs = Date.now() + hitWithinMs;
  while (!hit() && Date.now() < untilMs && !arena.pauses.stopped) await arena.pauses.sleep(pollMs);
  await back(arena, target);
  return hit();
}

interface Scene {
  readonly arm: (quietMs?: number) => Promise<void>;
  readonly step: Step;
  readonly staging: Staging;
}

const stories: Readonly<Record<Story, (arena: Arena, scene: Scene) => Promise<void>>> = {
  buyers: (_, { arm }) => arm(),
  redis: async (arena, { arm, step }) => {
    await arm();
    await causes[step.by as Exclude<FaultName, 'crash'>](arena, step);
  },
  unconfirmed: async (arena, { arm }) => {
    const first: CrashPoint = 'reserve.before-publish';
    const before = arena.crashes.hits(first);
    await arena.crashes.arm('seckill', first);
    await eventually(() => {
      if (arena.crashes.hits(first) === before && !arena.pauses.stopped) throw new Error(`seckill does not die at ${first}`);
    });
    await arm(startsWithinMs); // the next life, or the one that has begun
  },
  forgotten: async (arena, { arm, staging }) => {
    if (staging.messagesLostAtMs !== null) await arena.pauses.sleep(staging.messagesLostAtMs + unspokenMs - Date.now());
    await arena.end('seckill', 'SIGKILL');
    await arm();
  },
  withdrawal: async (_, { arm, staging }) => {
    await arm();
    await staging.withdrawSale();
  },
};

/** Ready again, should it have died; the supervisor notices that a moment later than we do. */
async function back(arena: Arena, target: AppName): Promise<void> {
  await eventually(() => {
    // Signal 0 only asks whether there is such a process.
    process.kill(arena.platform.pidOf(target), 0);
  });
  await arena.platform.untilReady(target);
}
