import type { CrashPoint } from '@floodgate/platform';

import type { Evidence } from '../scenario/evidence.js';
import type { Records } from '../scenario/records.js';
import { doubtsOf } from '../scenario/verdict.js';
import { classify, classNames, type ClassName, type Classified } from './classes.js';
import { operationNames, type OperationCounts, type OperationName } from './operations.js';

/** `unknown`: nothing stands against `valid` but that something was not seen, or not read. */
export type ChaosVerdict = 'valid' | 'invalid' | 'unknown';
export const exitCodes: Readonly<Record<ChaosVerdict, number>> = { valid: 0, invalid: 1, unknown: 2 };

/** One sale of a run: what its buyers were told and what the platform has. */
export interface SaleFacts {
  readonly name: string;
  readonly told: Omit<Evidence, 'orders' | 'audit'>;
  readonly records: Records;
}

/** What a run is judged by. */
export interface RunFacts {
  readonly sales: readonly SaleFacts[];
  readonly counts: OperationCounts;
  /** Operations that this run leads to at least once. */
  readonly expectedOperations: readonly OperationName[];
  /** Deaths at each crash point that had to be hit. */
  readonly hits: ReadonlyMap<CrashPoint, number>;
  /** Faults after which nobody was sold anything any more. */
  readonly neverSoldAgain: readonly string[];
  /** Faults that could not be caused, and whatever else nobody can tell. */
  readonly doubts: readonly string[];
  /** Dead letters in the platform that nobody poisoned, and poison that never became one. */
  readonly strangeLetters: number;
  readonly missingLetters: number;
}

export interface ChaosJudgement {
  readonly verdict: ChaosVerdict;
  readonly classes: Readonly<Record<ClassName, number>>;
  readonly recovered: number;
  /** In words, what stands against `valid`; first what is wrong, then what nobody knows. */
  readonly findings: readonly string[];
}

/** Judges a run. What the records contradict makes it `invalid`; what was not seen, `unknown`. */
export function judgeChaos(facts: RunFacts): ChaosJudgement {
  const classified = facts.sales.map((sale) => ({ sale, found: classifySale(sale) }));
  const sum = (name: ClassName): number => classified.reduce((all, { found }) => all + found.counts[name], 0);
  const wrong = [
    ...classified.flatMap(({ sale, found }) => found.findings.map((finding) => `${sale.name}: ${finding}`)),
    ...facts.sales.flatMap(auditFaults),
    ...facts.neverSoldAgain.map((fault) => `nobody was sold anything after ${fault}`),
    ...(facts.strangeLetters > 0 ? [`${facts.strangeLetters} dead letters that nobody poisoned`] : []),
    ...(facts.missingLetters > 0 ? [`${facts.missingLetters} poisonous messages that are no dead letters`] : []),
  ];
  const open = [
    ...facts.sales.flatMap((sale) => doubtsOf(sale.told, sale.records).map((doubt) => `${sale.name}: ${doubt}`)),
    ...[...facts.hits].filter(([, hits]) => hits === 0).map(([point]) => `unknown: nobody died at ${point}`),
    ...facts.expectedOperations.filter((name) => operationNames.includes(name) && facts.counts[name].ok === 0).map((name) => `unknown: no ${name} was ever done`),
    ...facts.doubts.map((doubt) => `unknown: ${doubt}`),
  ];
  return {
    verdict: wrong.length > 0 ? 'invalid' : open.length > 0 ? 'unknown' : 'valid',
    classes: Object.fromEntries(classNames.map((name) => [name, sum(name)])) as Record<ClassName, number>,
    recovered: classified.reduce((all, { found }) => all + found.recovered, 0),
    findings: [...wrong, ...open],
  };
}

function classifySale({ told, records: { orders, audit } }: SaleFacts): Classified {
  if (orders && audit) return classify({ ...told, orders, audit });
  return { counts: Object.fromEntries(classNames.map((name) => [name, 0])) as Record<ClassName, number>, recovered: 0, findings: [] };
}

/** The platform's own verdict over the records: the sums and anti-joins of SQL, and Redis against Postgres. */
function auditFaults({ name, records: { audit } }: SaleFacts): string[] {
  if (!audit) return [];
  return [
    ...(audit.verdict === 'broken' ? [`${name}: the audit is broken: ${audit.findings.join('; ')}`] : []),
    ...(audit.settling === 0 && !audit.redisEqualsPostgres ? [`${name}: Redis does not equal Postgres`] : []),
  ];
}
