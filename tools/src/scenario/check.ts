import type { View } from '@floodgate/contracts';

import { rules } from './check-rules.js';
import { faultKinds, type Evidence, type Fault, type FaultKind } from './evidence.js';

/** Every fault that the records show, each subject once per kind. */
export function findFaults(evidence: Evidence): Fault[] {
  const faults = new Map<string, Fault>();
  for (const rule of rules) {
    for (const fault of rule(evidence)) {
      const key = `${fault.kind}|${fault.subject}`;
      const known = faults.get(key);
      if (!known || known.count < fault.count) faults.set(key, fault);
    }
  }
  return [...faults.values()];
}

/** The sums by kind. Each is the larger of what the client's history shows and what the audit counts: they see the same faults from two sides. */
export function countFaults(faults: readonly Fault[], audit: View.AuditView | null): Record<FaultKind, number> {
  const sum = (kind: FaultKind): number => faults.filter((fault) => fault.kind === kind).reduce((all, fault) => all + fault.count, 0);
  return Object.fromEntries(faultKinds.map((kind) => [kind, Math.max(sum(kind), audit?.[kind] ?? 0)])) as Record<FaultKind, number>;
}
