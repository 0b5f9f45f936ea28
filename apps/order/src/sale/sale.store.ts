import type { LaneLoad, SaleDocument, StoredSaleState } from '@floodgate/contracts';
import { Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';

/** The sale as the order service knows it. Only `version`, `state`, `armed` ever change. */
export interface SaleCopy {
  saleId: string;
  version: number;
  state: StoredSaleState;
  merchantId: string;
  opensAtMs: number;
  closesAtMs: number;
  paymentWindowMs: number;
  currency: string;
  perAccount: number | null;
  perIp: number | null;
  lanes: number;
  armed: boolean;
  withdrawalDone: boolean;
  /** The database's clock when this was read, epoch milliseconds. */
  readAtMs: number;
}

export interface LaneRow {
  saleId: string;
  lane: number;
  epoch: number;
  loadedEpoch: number;
}

const columns = `sale_id AS "saleId", version, state, merchant_id AS "merchantId", opens_at_ms::float8 AS "opensAtMs", closes_at_ms::float8 AS "closesAtMs",
  payment_window_ms::float8 AS "paymentWindowMs", currency, per_account AS "perAccount", per_ip AS "perIp", lanes, armed, withdrawal_done AS "withdrawalDone",
  (extract(epoch FROM clock_ms()) * 1000)::float8 AS "readAtMs"`;

/** The copy of a sale has not arrived yet: a matter of moments, so whoever needs it tries again. */
export class SaleMissingError extends Error {
  override name = 'SaleMissingError';

  constructor(saleId: string) {
    super(`sale ${saleId} has not arrived yet`);
  }
}

/** The copies of approved sales, and their lanes. */
@Injectable()
export class SaleStore {
  constructor(private readonly database: Database) {}

  /** Null: the copy has not arrived yet. */
  async read(from: Transaction | Database, saleId: string): Promise<SaleCopy | null> {
    const rows = await from.query<SaleCopy>({ name: 'sale-read', text: `SELECT ${columns} FROM sale WHERE sale_id = $1`, values: [saleId] });
    return rows[0] ?? null;
  }

  /** Copies a sale with its items, lanes and empty counters. False: it was there already, nothing was written. */
  async copy(tx: Transaction, sale: SaleDocument): Promise<boolean> {
    const inserted = await tx.query(
      `INSERT INTO sale (sale_id, version, state, title, merchant_id, opens_at_ms, closes_at_ms, payment_window_ms, late_payment, currency,
         per_account, per_ip, rid_secret, lanes)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (sale_id) DO NOTHING RETURNING sale_id`,
      [sale.saleId, sale.version, sale.state, sale.title, sale.merchantId, sale.opensAtMs, sale.closesAtMs, sale.paymentWindowMs, sale.latePayment,
        sale.currency, sale.limits.perAccount, sale.limits.perIp, sale.ridSecret, sale.lanes]);
    if (inserted.length === 0) return false;
    const items = sale.items;
    await tx.query(
      `INSERT INTO sale_item (sale_id, item_id, item_no, sku_id, title, image_url, kind, price, list_price, quota, per_account)
       SELECT $1, i.* FROM unnest($2::text[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[], $10::int[], $11::int[]) AS i`,
      [sale.saleId, items.map((i) => i.itemId), items.map((_, at) => at + 1), items.map((i) => i.skuId), items.map((i) => i.title),
        items.map((i) => i.imageUrl), items.map((i) => i.kind), items.map((i) => i.price), items.map((i) => i.listPrice),
        items.map((i) => i.quota), items.map((i) => i.perAccount)]);
    await tx.query('INSERT INTO lane (sale_id, lane) SELECT $1, generate_series(0, $2 - 1)', [sale.saleId, sale.lanes]);
    await tx.query('INSERT INTO lane_item (sale_id, lane, item_id) SELECT l.sale_id, l.lane, i.item_id FROM lane l JOIN sale_item i USING (sale_id) WHERE l.sale_id = $1',
      [sale.saleId]);
    return true;
  }

  /** Applies a later state, if it is later than the copy's. */
  async change(tx: Transaction, saleId: string, version: number, state: StoredSaleState): Promise<'applied' | 'outdated' | 'missing'> {
    const sale = await this.read(tx, saleId);
    if (!sale) return 'missing';
    const rows = await tx.query('UPDATE sale SET version = $2, state = $3 WHERE sale_id = $1 AND version < $2 RETURNING sale_id', [saleId, version, state]);
    return rows.length > 0 ? 'applied' : 'outdated';
  }

  /** What Redis needs to sell these lanes; without `lanes`, all of every sale. */
  async laneLoads(from: Transaction | Database, lanes?: readonly { saleId: string; lane: number }[]): Promise<(LaneLoad & { loadedEpoch: number })[]> {
    const filter = lanes ? 'WHERE (l.sale_id, l.lane) IN (SELECT * FROM unnest($1::text[], $2::int[]))' : '';
    return from.query(
      `SELECT l.sale_id AS "saleId", l.lane, l.epoch, l.loaded_epoch AS "loadedEpoch", s.version,
         CASE WHEN s.state IN ('PAUSED', 'ENDED', 'WITHDRAWN') THEN s.state ELSE 'ARMED' END AS state,
         s.opens_at_ms::float8 AS "opensAtMs", s.closes_at_ms::float8 AS "closesAtMs", s.per_account AS "perAccount", s.per_ip AS "perIp",
         (SELECT json_agg(json_build_object('itemId', i.item_id, 'allotment', li.allotment, 'allotmentVersion', li.allotment_version, 'perAccount', i.per_account) ORDER BY i.item_no)
            FROM lane_item li JOIN sale_item i USING (sale_id, item_id) WHERE li.sale_id = l.sale_id AND li.lane = l.lane) AS items
       FROM lane l JOIN sale s USING (sale_id) ${filter} ORDER BY l.sale_id, l.lane`,
      lanes ? [lanes.map((lane) => lane.saleId), lanes.map((lane) => lane.lane)] : []);
  }

  /** Writes down that a lane sells from this epoch. True: with it every lane of the sale is loaded, for the first time. */
  async noteLoaded(tx: Transaction, saleId: string, lane: number, epoch: number): Promise<boolean> {
    await tx.query('SELECT 1 FROM sale WHERE sale_id = $1 FOR UPDATE', [saleId]);
    await tx.query('UPDATE lane SET loaded_epoch = $3 WHERE sale_id = $1 AND lane = $2 AND loaded_epoch < $3 AND epoch >= $3', [saleId, lane, epoch]);
    const armed = await tx.query(
      `UPDATE sale s SET armed = true WHERE sale_id = $1 AND NOT armed
         AND NOT EXISTS (SELECT 1 FROM lane l WHERE l.sale_id = s.sale_id AND l.loaded_epoch = 0) RETURNING sale_id`, [saleId]);
    return armed.length > 0;
  }

  /** Raises the epoch of each lane that is still at the epoch seen. Returns the lanes raised. */
  async raiseEpochs(tx: Transaction, seen: readonly { saleId: string; lane: number; epoch: number }[]): Promise<LaneRow[]> {
    return tx.query<LaneRow>(
      `WITH due AS (
         SELECT l.sale_id, l.lane FROM lane l JOIN unnest($1::text[], $2::int[], $3::int[]) AS seen (sale_id, lane, epoch) USING (sale_id, lane, epoch)
         ORDER BY l.sale_id, l.lane FOR UPDATE OF l)
       UPDATE lane l SET epoch = epoch + 1 FROM due WHERE l.sale_id = due.sale_id AND l.lane = due.lane
       RETURNING l.sale_id AS "saleId", l.lane, l.epoch, l.loaded_epoch AS "loadedEpoch"`,
      [seen.map((lane) => lane.saleId), seen.map((lane) => lane.lane), seen.map((lane) => lane.epoch)]);
  }
}
