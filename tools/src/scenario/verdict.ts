import type { View } from '@floodgate/contracts';

import { countFaults, findFaults } from './check.js';
import type { Evidence, Fault, FaultKind } from './evidence.js';
import { outcomeOf } from './history.js';
import type { Records } from './records.js';

export type Verdict = 'clean' | 'broken' | 'unknown';
export interface Judgement {
  verdict: Verdict;
  counts: Record<FaultKind, number>;
  /** In words, whatever stands against `clean`. */
  findings: string[];
}

/** Lays the records side by side. `clean` needs all of them, settled and without a fault; what could not be read or did not end makes it `unknown`. */
export function judge(told: Omit<Evidence, 'orders' | 'audit'>, { orders, audit }: Records): Judgement {
  const faults: Fault[] = orders && audit ? findFaults({ ...told, orders, audit }) : [];
  const counts = countFaults(faults, audit);
  const findings = [...faults.map((one) => `${one.kind}: ${one.what}`), ...(audit?.findings ?? []).map((line) => `audit: ${line}`)];
  if (audit && audit.settling === 0 && !audit.redisEqualsPostgres) findings.push('audit: Redis does not equal Postgres');
  const doubts = doubtsOf(told, { orders, audit });
  const broken = Object.values(counts).some((count) => count > 0) || audit?.verdict === 'broken' || (audit?.settling === 0 && !audit.redisEqualsPostgres);
  const verdict = broken ? 'broken' : doubts.length > 0 ? 'unknown' : 'clean';
  return { verdict, counts, findings: [...findings, ...doubts] };
}

/** What keeps a sale from being judged, in words. */
export function doubtsOf({ attempts }: Pick<Evidence, 'attempts'>, { orders, audit }: Records): string[] {
  const unresolved = [...attempts.values()].filter((attempt) => outcomeOf(attempt).word === 'unknown').length;
  const open = orders?.filter((order: View.OrderView) => order.state === 'QUEUED' || order.state === 'ORDERED').length ?? 0;
  return [
    ...(unresolved > 0 ? [`unknown: ${unresolved} keys never had a lasting answer`] : []),
    ...(open > 0 ? [`unknown: ${open} orders had not ended`] : []),
    ...(orders === null ? ['unknown: the orders could not be read'] : []),
    ...(audit === null ? ['unknown: the audit could not be read'] : []),
    ...(audit && audit.settling > 0 ? [`unknown: ${audit.settling} messages were still under way`] : []),
    ...(audit?.verdict === 'unknown' && audit.settling === 0 ? ['unknown: the audit could not tell'] : []),
  ];
}
