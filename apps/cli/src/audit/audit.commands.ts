import type { AuditView } from '@floodgate/contracts';
import type { Call, Command, Result } from '../command/command.js';
import { saleId } from '../command/options.js';
import type { Ending } from '../exit-codes.js';
import { segment } from '../gateway/gateway.client.js';
import { pairs, table } from '../output/table.js';

export const auditCommands: readonly Command[] = [
  { name: 'audit', about: 'whether every unit of a sale is accounted for; exit 0 only if the verdict is clean', role: 'auditor', parameters: [saleId], run: audit },
];

/** By verdict: what is broken is not in order, and unknown is never rounded up. */
export const verdictEnding = (verdict: string): Ending => (verdict === 'clean' ? 'done' : verdict === 'broken' ? 'refused' : 'unknown');

async function audit({ gateway, args: [id = ''] }: Call): Promise<Result> {
  const found = await gateway.get<AuditView>(`/v1/admin/sales/${segment(id)}/audit`);
  return { value: found, lines: auditLines(found), ending: verdictEnding(found.verdict) };
}

/** Every item, then the sums and what was found wrong; the verdict comes last. */
export function auditLines(found: AuditView): string[] {
  return [
    ...table([
      { head: 'item', cell: (item) => item.itemId }, { head: 'quota', cell: (item) => item.quota }, { head: 'available', cell: (item) => item.available }, { head: 'held', cell: (item) => item.held },
      { head: 'sold', cell: (item) => item.sold }, { head: 'burned', cell: (item) => item.burned }, { head: 'in redis', cell: (item) => item.redisAvailable },
    ], found.items), '',
    ...pairs([
      ['as of', found.asOf], ['oversold', found.oversold], ['lost', found.lost], ['duplicated', found.duplicated], ['unexplained', found.unexplained], ['still settling', found.settling],
      ['Redis equals Postgres', found.redisEqualsPostgres], ['payments captured', found.payments.captured], ['payments refunded', found.payments.refunded],
      ...(found.findings ?? []).map((finding) => ['finding', finding] as const), ['verdict', found.verdict],
    ]),
  ];
}
