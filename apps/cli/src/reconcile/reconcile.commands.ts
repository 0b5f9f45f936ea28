import type { DifferenceView, ReconciliationView } from '@floodgate/contracts';
import type { Call, Command, Result } from '../command/command.js';
import { saleId } from '../command/options.js';
import { usageFailure } from '../failure.js';
import { segment } from '../gateway/gateway.client.js';
import { table } from '../output/table.js';

export const reconcileCommands: readonly Command[] = [
  {
    name: 'reconcile', about: 'where Redis and Postgres differ, and what would mend it; with --fix mend what can be; exit 0 only if nothing is left', role: 'operator (auditor without --fix)', parameters: [saleId],
    options: [
      { flags: '--fix', about: 'send overdue reservations and the word of Postgres again; writes no counter' },
      { flags: '--reason <text>', about: 'with --fix: why, for the record' },
    ],
    run: reconcile,
  },
];

async function reconcile({ gateway, args: [id = ''], options: { fix, reason } }: Call): Promise<Result> {
  if (reason !== undefined && fix !== true) throw usageFailure('--reason belongs to --fix');
  const path = `/v1/admin/sales/${segment(id)}/reconciliation`;
  const found = fix === true ? await gateway.post<ReconciliationView>(path, { reason: reason ?? 'floodgate reconcile --fix' }) : await gateway.get<ReconciliationView>(path);
  return { value: found, lines: reconciliationLines(found), ending: found.differences.length + found.more === 0 ? 'done' : 'refused' };
}

/** What was mended, what is there, and what each mend means; the sum comes last. */
export function reconciliationLines({ asOf, settling, mended, differences, more }: ReconciliationView): string[] {
  const listed = (rows: readonly DifferenceView[]): string[] => (rows.length === 0 ? [] : table([
    { head: 'kind', cell: (one) => one.kind }, { head: 'lane', cell: (one) => one.lane }, { head: 'subject', cell: (one) => one.subject, widthMax: 70 },
    { head: 'redis', cell: (one) => one.redis, widthMax: 200 }, { head: 'postgres', cell: (one) => one.postgres, widthMax: 200 }, { head: 'mend', cell: (one) => one.mend },
  ], rows));
  const advice = new Map(differences.map((one) => [one.mend, one.advice]));
  return [
    ...(mended.length > 0 ? [`mended: ${mended.length}`, ...listed(mended), ''] : []),
    ...listed(differences), ...[...advice].map(([mend, text]) => `${mend}: ${text}`),
    ...(settling > 0 ? [`${settling} messages or acts are under way: a difference may end by itself`] : []),
    differences.length + more === 0 ? `nothing differs as of ${asOf}` : `${differences.length + more} differences as of ${asOf}${more > 0 ? `, ${more} of them not shown` : ''}`,
  ];
}
