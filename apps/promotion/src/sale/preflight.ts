import { saleStateAt, type PreflightView } from '@floodgate/contracts';
import { isoTime } from '@floodgate/platform';
import { armLeadMs } from './arm-time.js';
import { checks, type Check } from './preflight.checks.js';
import type { Facts } from './preflight.facts.js';
import type { Sale } from './sale.entity.js';

export type Row = PreflightView['rows'][number];

/** One row for each check of these, in the order of the table. */
export function rowsOf(sale: Sale, facts: Facts, nowMs: number, which: (check: Check) => boolean = () => true): Row[] {
  return checks.filter(which).map(({ check, fault, fine }) => {
    const found = fault(sale, facts, nowMs);
    return { check, ok: found === null, detail: found ?? fine(sale, facts, nowMs) };
  });
}

/**
 * The checklist of one sale at one time of the platform's clock. `arming` is no check but the outcome: what the last try to arm came to.
 */
export function preflight(sale: Sale, facts: Facts, nowMs: number): PreflightView {
  const rows = [...rowsOf(sale, facts, nowMs), { check: 'arming', ok: sale.armError === null, detail: sale.armError ?? armingNote(sale, nowMs) }];
  return { ok: rows.every((row) => row.ok), rows };
}

/** Why the sale may not be armed, as its `armError` says it; null if it may. */
export function armFault(rows: readonly Row[]): string | null {
  const failed = rows.filter((row) => !row.ok);
  return failed.length === 0 ? null : `Preflight: ${failed.map(({ check, detail }) => `${check}: ${detail}`).join(' ')}`;
}

function armingNote(sale: Sale, nowMs: number): string {
  const state = saleStateAt(sale, nowMs);
  if (state === 'ARMED' || state === 'OPEN' || state === 'PAUSED') return 'Armed.';
  const armsAtMs = sale.opensAtMs - armLeadMs;
  return armsAtMs > nowMs ? `Will be armed at ${isoTime(armsAtMs)}, once approved.` : 'Will be armed at once when approved.';
}
