import * as rule from '../scenario/check-rules.js';
import type { Evidence, Fault } from '../scenario/evidence.js';
import { isUncertain, outcomeOf } from '../scenario/history.js';

/** What a history may show that must never be, in the words of those who test databases. `wrong`: everything else that the records contradict. */
export const classNames = ['lost', 'unexpected', 'duplicated', 'takenBack', 'wrong'] as const;
export type ClassName = (typeof classNames)[number];

export interface Classified {
  readonly counts: Readonly<Record<ClassName, number>>;
  /** Keys whose answer was open for a while, and that turned out to hold something: allowed, and counted. */
  readonly recovered: number;
  /** In words. */
  readonly findings: readonly string[];
}

/** Which class a rule's faults are of. A second of anything is `duplicated`, whoever finds it. */
export const classOf: ReadonlyMap<rule.Rule, ClassName> = new Map<rule.Rule, ClassName>([
  [rule.aKeyKeepsItsReservation, 'duplicated'],
  [rule.aYesStaysAYes, 'takenBack'],
  [rule.aReservationHasOneKey, 'duplicated'],
  [rule.soldOutMeansTooFew, 'wrong'],
  [rule.everyYesHasItsOrder, 'lost'],
  [rule.noYesIsTakenBack, 'takenBack'],
  [rule.anOrderIsWhatWasAsked, 'wrong'],
  [rule.everyOrderWasPromised, 'unexpected'],
  [rule.quotasHold, 'wrong'],
  [rule.limitsHold, 'wrong'],
  [rule.paidIsCaptured, 'wrong'],
  [rule.shownIsRecorded, 'wrong'],
]);

/** Lays what the buyers were told beside what the platform has, class by class. */
export function classify(evidence: Evidence): Classified {
  const found = [...classOf].flatMap(([check, name]) => [...check(evidence)].map((fault) => ({ name: nameOf(fault, name), fault })));
  const sum = (name: ClassName): number => found.filter((one) => one.name === name).reduce((all, { fault }) => all + fault.count, 0);
  return {
    counts: Object.fromEntries(classNames.map((name) => [name, sum(name)])) as Record<ClassName, number>,
    recovered: [...evidence.attempts.values()].filter((attempt) => outcomeOf(attempt).word === 'accepted' && attempt.exchanges.some(isUncertain)).length,
    findings: found.map(({ name, fault }) => `${name}: ${fault.what}`),
  };
}

const nameOf = (fault: Fault, name: ClassName): ClassName => (fault.kind === 'duplicated' ? 'duplicated' : name);
