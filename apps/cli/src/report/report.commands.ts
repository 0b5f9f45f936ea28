import { writeFileSync } from 'node:fs';
import type { AuditView, ReportView, SaleView } from '@floodgate/contracts';
import { verdictEnding } from '../audit/audit.commands.js';
import type { Call, Command, Result } from '../command/command.js';
import { saleId } from '../command/options.js';
import { usageFailure } from '../failure.js';
import { segment } from '../gateway/gateway.client.js';
import { money } from '../output/money.js';
import { pairs } from '../output/table.js';
import { reportPage, type ReportParts } from './report-page.js';
import { readTold } from './told.js';

export const reportCommands: readonly Command[] = [{
  name: 'report', about: 'how a sale went; with --out as a page for a browser, with plots', role: 'auditor', parameters: [saleId],
  options: [
    { flags: '--out <file>', about: 'write the page there, over what stands there' },
    { flags: '--told <file>', about: 'what the buyers of a scenario were told (npm start -- --report FILE): adds refusals by reason' },
  ],
  run: report,
}];

/** Ends as the audit does: a page whose figures do not add up is no report to hand on unseen. */
async function report({ gateway, args: [id = ''], options }: Call): Promise<Result> {
  const told = options['told'] === undefined ? null : readTold(options['told'] as string, id);
  const path = `/v1/admin/sales/${segment(id)}`;
  const [sale, figures, audit] = await Promise.all([gateway.get<SaleView>(path), gateway.get<ReportView>(`${path}/report`), gateway.get<AuditView>(`${path}/audit`)]);
  const parts: ReportParts = { sale, report: figures, audit, told };
  const out = options['out'] as string | undefined;
  if (out !== undefined) write(out, reportPage(parts));
  const lines = out === undefined ? figureLines(parts) : [`${out} is written; the audit says ${audit.verdict}`];
  return { value: { sale, report: figures, audit, ...(told === null ? {} : { told }), ...(out === undefined ? {} : { out }) }, lines, ending: verdictEnding(audit.verdict) };
}

const figureLines = ({ sale, report, audit, told }: ReportParts): string[] => pairs([
  ['sale', sale.id], ['title', sale.title], ['state', sale.state], ['taken', money(report.amount)], ['sold out', report.soldOutAt],
  ...Object.entries(told?.refused ?? {}).map(([code, count]) => [`refused ${code}`, count] as const), ...Object.entries(report.funnel), ...Object.entries(report.percentiles), ['audit', audit.verdict],
]);

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw usageFailure(`${file} cannot be written (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
  }
}
