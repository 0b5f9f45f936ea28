import type { CrashPoint } from '@floodgate/platform';

import { Chance } from '../scenario/random.js';
import type { AppName } from '../supervisor/services.js';
import { allCrashPoints, isSeldom, passersOf, storyOf } from './crash-stories.js';
import { faultKind, faultNames, lengthsOf, type FaultName } from './faults.js';

/** One fault of a run. Times in milliseconds. */
export interface Step {
  readonly fault: FaultName;
  /** The process that is struck; absent for servers and links. */
  readonly target?: AppName;
  readonly lastsMs: number;
  /** Of a clock that is set wrong: by so much. */
  readonly skewMs?: number;
  /** Of a crash: where, and at which passage. */
  readonly point?: CrashPoint;
  readonly nth?: number;
  /** Of a crash during a load of Redis: what makes Redis forget. */
  readonly by?: FaultName;
  /** Between the recovery and the next fault. */
  readonly pauseMs: number;
}

export interface Schedule {
  readonly seed: number;
  readonly minutes: number;
  readonly steps: readonly Step[];
}

/** With less time than this not every kind of fault and every crash point fits, and what is lost by the broker is not looked for. */
export const completeMinutes = 6;
/** What was lost by the broker is found again after a minute; until then nothing else may know of it but Redis. */
const unspokenSeconds = 70;
/** What a clock may be wrong by. */
const skewsMs = [60_000, 300_000] as const;
const forgetful = faultNames.filter((name) => faultKind(name).forgets);
/** Of its own turn: it leads to the end of the run. */
const losing: FaultName = 'broker-loses-messages';

/**
 * The faults of a run, one after the other: the same seed and minutes give the same. From `completeMinutes` on every kind of fault and every crash point
 * is in it at least once; a shorter run has as many of both as fit.
 */
export function makeSchedule(seed: number, minutes: number): Schedule {
  const make = new StepMaker(new Chance(seed), minutes);
  const kinds = make.shuffled('kinds', faultNames.filter((name) => name !== 'crash' && name !== losing).flatMap(eachTarget)).map(({ name, target }, at) => make.fault(name, `first|${at}`, target));
  const crashes = make.shuffled('points', allCrashPoints.filter((point) => storyOf(point) !== 'forgotten')).map((point, at) => make.crash(point, `first|${at}`));
  const steps = minutes < completeMinutes ? fill(kinds, crashes, minutes * 60) : complete(make, { kinds, crashes }, minutes * 60);
  return { seed, minutes, steps };
}

/** One of the kind, or one for each process where none may be left out. */
function eachTarget(name: FaultName): { name: FaultName; target?: AppName }[] {
  const { each, targets = [] } = faultKind(name);
  return each ? targets.map((target) => ({ name, target })) : [{ name }];
}

export const secondsOf = (step: Step): number => faultKind(step.fault).seconds + step.lastsMs / 1000 + (step.by === undefined ? 0 : faultKind(step.by).seconds) + step.pauseMs / 1000;

/** Takes from both in turns while there is time. */
function fill(kinds: readonly Step[], crashes: readonly Step[], seconds: number): Step[] {
  const steps: Step[] = [];
  let left = seconds;
  for (let at = 0; at < Math.max(kinds.length, crashes.length); at++) {
    for (const step of [kinds[at], crashes[at]]) {
      if (!step || secondsOf(step) > left) continue;
      left -= secondsOf(step);
      steps.push(step);
    }
  }
  return steps;
}

/** Everything once, then more until the time is over; at the end the broker loses messages, and for a minute Redis is left alone. */
function complete(make: StepMaker, { kinds, crashes }: { kinds: Step[]; crashes: Step[] }, seconds: number): Step[] {
  const quietly = crashes.filter((step) => step.target === 'order' && storyOf(step.point!) === 'buyers');
  const ending: Step[] = [make.fault(losing, 'ending')];
  for (let spent = 0; spent < unspokenSeconds && quietly.length > 0;) {
    const step = quietly.pop()!;
    spent += secondsOf(step);
    ending.push(step);
  }
  ending.push(make.crash('reap.after-publish', 'ending'));
  const beginning = make.shuffled('all', [...kinds, ...crashes.filter((step) => !ending.includes(step))]);
  const spent = (steps: readonly Step[]): number => steps.reduce((sum, step) => sum + secondsOf(step), 0);
  for (let at = 0; spent(beginning) + spent(ending) < seconds; at++) beginning.push(make.another(at));
  return [...beginning, ...ending];
}

/** Draws what the table leaves open. Every draw has its own label, so that one more step changes no other. */
class StepMaker {
  constructor(private readonly chance: Chance, private readonly minutes: number) {}

  shuffled<T>(label: string, list: readonly T[]): T[] {
    return list.map((value, at) => ({ value, order: this.chance.of(`${label}|${at}`) })).toSorted((a, b) => a.order - b.order).map(({ value }) => value);
  }

  fault(fault: FaultName, label: string, target?: AppName): Step {
    const { targets } = faultKind(fault);
    return {
      fault, ...(targets ? { target: target ?? this.pick(`target|${label}`, targets) } : {}), lastsMs: this.chance.between(`lasts|${label}`, lengthsOf(fault, this.minutes)), pauseMs: this.pause(label),
      ...(fault === 'process-skew' ? { skewMs: this.skew(label) } : {}),
    };
  }

  crash(point: CrashPoint, label: string): Step {
    const story = storyOf(point);
    return {
      fault: 'crash', point, target: this.pick(`passer|${label}`, passersOf(point)), lastsMs: 0, pauseMs: this.pause(label),
      nth: story !== 'buyers' || isSeldom(point) ? 1 : this.chance.between(`nth|${label}`, [1, 6]),
      ...(story === 'redis' ? { by: this.pick(`by|${label}`, forgetful.filter((name) => name !== 'redis-rollback')) } : {}),
    };
  }

  /** One more, of any kind. There are only so many sales to withdraw. */
  another(at: number): Step {
    const label = `more|${at}`;
    if (this.chance.happens(`crash|${label}`, 0.5)) return this.crash(this.pick(`point|${label}`, allCrashPoints.filter((point) => !['forgotten', 'withdrawal'].includes(storyOf(point)))), label);
    return this.fault(this.pick(`kind|${label}`, faultNames.filter((name) => name !== 'crash' && name !== losing)), label);
  }

  /** Minutes ahead or behind, at least one. */
  private skew(label: string): number {
    const ms = this.chance.between(`skew|${label}`, skewsMs);
    return this.chance.happens(`behind|${label}`, 0.5) ? -ms : ms;
  }

  private pause(label: string): number {
    return this.chance.between(`pause|${label}`, [100, 1_500]);
  }

  private pick<T>(label: string, from: readonly T[]): T {
    return from[this.chance.between(label, [0, from.length - 1])]!;
  }
}
