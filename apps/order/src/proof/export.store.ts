import type { View } from '@floodgate/contracts';
import { Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';

/** How the units of one item stand by the counters, over all lanes. `price` in minor units. */
export interface ItemUnits {
  itemId: string;
  skuId: string;
  price: number;
  quota: number;
  perAccount: number | null;
  free: number;
  held: number;
  sold: number;
  burned: number;
}

/** What was promised about a sale. Times are epoch milliseconds. */
export interface SalePolicy {
  version: number;
  state: string;
  opensAtMs: number;
  closesAtMs: number;
  paymentWindowMs: number;
  latePayment: string;
  currency: string;
  perAccount: number | null;
  perIp: number | null;
  lanes: number;
  ridSecret: string;
  /** The database's clock. */
  nowMs: number;
}

/** The rows of one kind, in the order of the file; all have `$1` for the sale. */
const sources = {
  ledger: `SELECT s.number, e.lane, e.operation_id AS "operationId", e.item_id AS "itemId", e.entry, e.quantity, e.free_after AS "freeAfter", e.at, s.hash
    FROM ledger_seal s JOIN ledger e USING (sale_id, seq) WHERE s.sale_id = $1 ORDER BY s.number`,
  orders: `SELECT rid AS id, lane, account_id AS "accountId", items, state, reason, amount::float8 AS amount, currency, number::float8 AS number, version,
      reserved_at AS "reservedAt", created_at AS "createdAt", paid_at AS "paidAt" FROM orders WHERE sale_id = $1 ORDER BY rid`,
  payments: `SELECT p.payment_id AS id, p.rid AS "orderId", p.provider, p.amount::float8 AS amount, p.currency, p.state, p.pays AS "isOrders",
      EXISTS (SELECT FROM refund r WHERE r.payment_id = p.payment_id AND r.state = 'WAITING')
        OR EXISTS (SELECT FROM reacquisition q WHERE q.payment_id = p.payment_id AND q.state = 'WAITING') AS "underWay"
    FROM payment p WHERE p.sale_id = $1 ORDER BY p.payment_id`,
} as const;
export type ExportSource = keyof typeof sources;
/** A row's members as its statement names them. */
export type ExportRow = Record<string, unknown> & { accountId?: string };
const rowsAtOnce = 2_000;
const keptHours = 24;

/** A sale's records as they go out, and the exports made of them. */
@Injectable()
export class ExportStore {
  constructor(private readonly database: Database) {}

  /** Null: no such sale. */
  async policy(tx: Transaction, saleId: string): Promise<SalePolicy | null> {
    const [policy] = await tx.query<SalePolicy>(
      `SELECT version, state, opens_at_ms::float8 AS "opensAtMs", closes_at_ms::float8 AS "closesAtMs", payment_window_ms::float8 AS "paymentWindowMs", late_payment AS "latePayment",
         currency, per_account AS "perAccount", per_ip AS "perIp", lanes, rid_secret AS "ridSecret", (extract(epoch FROM clock_ms()) * 1000)::float8 AS "nowMs" FROM sale WHERE sale_id = $1`, [saleId]);
    return policy ?? null;
  }

  async items(tx: Transaction, saleId: string): Promise<ItemUnits[]> {
    return tx.query<ItemUnits>(
      `SELECT i.item_id AS "itemId", i.sku_id AS "skuId", i.price::float8 AS price, i.quota, i.per_account AS "perAccount",
         sum(l.allotment - l.held - l.sold - l.burned)::float8 AS free, sum(l.held)::float8 AS held, sum(l.sold)::float8 AS sold, sum(l.burned)::float8 AS burned
       FROM sale_item i JOIN lane_item l USING (sale_id, item_id) WHERE i.sale_id = $1 GROUP BY i.sale_id, i.item_id ORDER BY i.item_no`, [saleId]);
  }

  /** All rows of one kind as this transaction sees them, some at a time. */
  async *rows(tx: Transaction, saleId: string, source: ExportSource): AsyncGenerator<ExportRow[]> {
    await tx.query(`DECLARE export_${source} NO SCROLL CURSOR FOR ${sources[source]}`, [saleId]);
    for (;;) {
      const rows = await tx.query<ExportRow>(`FETCH ${rowsAtOnce} FROM export_${source}`);
      if (rows.length > 0) yield rows;
      if (rows.length < rowsAtOnce) break;
    }
    await tx.query(`CLOSE export_${source}`);
  }

  async addPage(tx: Transaction, exportId: string, number: number, file: string, content: string): Promise<void> {
    await tx.query({ name: 'export-add-page', text: 'INSERT INTO sale_export_page (export_id, number, file, content) VALUES ($1, $2, $3, $4)', values: [exportId, number, file, content] });
  }

  /** Its pages may stand before it. Those of yesterday go. */
  async add(tx: Transaction, exportId: string, saleId: string, certificate: object): Promise<void> {
    await tx.query('INSERT INTO sale_export (export_id, sale_id, certificate) VALUES ($1, $2, $3)', [exportId, saleId, JSON.stringify(certificate)]);
    await tx.query('DELETE FROM sale_export WHERE created_at < clock_timestamp() - make_interval(hours => $1)', [keptHours]);
  }

  /** Null: no such page, or not any more. */
  async page(saleId: string, exportId: string, number: number): Promise<View.SaleExportView | null> {
    const [page] = await this.database.query<Omit<View.SaleExportView, 'nextCursor'> & { last: number }>(
      `SELECT e.certificate, p.file, p.content AS text, (SELECT max(number) FROM sale_export_page WHERE export_id = $2) AS last
       FROM sale_export e JOIN sale_export_page p USING (export_id) WHERE e.sale_id = $1 AND e.export_id = $2 AND p.number = $3`, [saleId, exportId, number]);
    if (!page) return null;
    const { last, ...view } = page;
    return { ...view, nextCursor: number < last ? `${exportId}.${number + 1}` : null };
  }
}
