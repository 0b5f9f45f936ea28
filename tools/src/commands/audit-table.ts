/** The answer of `GET /v1/admin/sales/{id}/audit`. Counts: units for `oversold`, reservations for the other three. */
export interface Audit {
  readonly verdict: 'clean' | 'broken' | 'unknown';
  readonly saleId: string;
  readonly asOf: string;
  readonly settling: number;
  readonly oversold: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly unexplained: number;
  readonly redisEqualsPostgres: boolean;
  readonly items: readonly {
    readonly itemId: string;
    readonly quota: number;
    readonly available: number;
    readonly held: number;
    readonly sold: number;
    readonly burned: number;
    readonly redisAvailable: number | null;
  }[];
  readonly payments: { readonly captured: number; readonly refunded: number };
}

const columns = ['quota', 'available', 'held', 'sold', 'burned', 'redisAvailable'] as const;
/** A sale has up to 5,000 items; a terminal shows the odd ones and the start of the rest. */
const rowsMax = 40;

/** The audit as lines of text, columns aligned, items that do not add up first. */
export function formatAudit(audit: Audit): string[] {
  const items = [...audit.items].sort((a, b) => Number(addsUp(a)) - Number(addsUp(b)));
  const shown = items.slice(0, rowsMax);
  const cells = [['item', ...columns], ...shown.map((item) => [item.itemId, ...columns.map((name) => String(item[name] ?? '-'))]), ['all', ...columns.map((name) => total(audit, name))]];
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const table = cells.map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join('  '));
  return [
    `sale ${audit.saleId} as of ${audit.asOf}`,
    ...table,
    ...(items.length > rowsMax ? [`(${items.length - rowsMax} more items, all of them adding up or listed by the API)`] : []),
    `payments captured ${audit.payments.captured}, refunded ${audit.payments.refunded}`,
    `Redis ${audit.redisEqualsPostgres ? 'equals' : 'DIFFERS FROM'} Postgres; still settling: ${audit.settling}`,
    `oversold ${audit.oversold}, lost ${audit.lost}, duplicated ${audit.duplicated}, unexplained ${audit.unexplained}`,
    `verdict: ${audit.verdict}`,
  ];
}

function addsUp(item: Audit['items'][number]): boolean {
  const fates = item.available + item.held + item.sold + item.burned;
  return fates === item.quota && (item.redisAvailable === null || item.redisAvailable === item.available);
}

function total(audit: Audit, name: (typeof columns)[number]): string {
  return String(audit.items.reduce((sum, item) => sum + (item[name] ?? 0), 0));
}
