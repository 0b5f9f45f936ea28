import { randomUUID } from 'node:crypto';
import { Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';

/** Units of one SKU that we ask of the outside warehouse, or give back to it, under an id that is the same however often it is asked. */
export interface WarehouseBlock {
  operationId: string;
  kind: 'take' | 'put-back';
  skuId: string;
  units: number;
  attempts: number;
}

/** Retries come at this pace, and never stop: nobody may guess what became of units. */
const backOffSql = `least(interval '250 milliseconds' * power(2, least(attempts, 10)), interval '30 seconds')`;

/** What is asked of the outside warehouse; each row is asked until it is answered. */
@Injectable()
export class WarehouseBlockStore {
  constructor(private readonly database: Database) {}

  async add(tx: Transaction, kind: WarehouseBlock['kind'], skuId: string, units: number): Promise<void> {
    await tx.query('INSERT INTO warehouse_block (operation_id, kind, sku_id, units) VALUES ($1, $2, $3, $4)', [randomUUID(), kind, skuId, units]);
  }

  /** What should be asked now, oldest first. Two processes may ask the same at once: the id makes it one operation. */
  async due(limit: number): Promise<WarehouseBlock[]> {
    return this.database.query<WarehouseBlock>(
      `SELECT operation_id AS "operationId", kind, sku_id AS "skuId", units, attempts FROM warehouse_block
       WHERE state = 'WAITING' AND next_attempt_at <= clock_timestamp() ORDER BY next_attempt_at, operation_id LIMIT $1`, [limit]);
  }

  /** The warehouse has answered: once, and the units it gave are ours from the same moment. */
  async settle(block: WarehouseBlock, granted: number): Promise<void> {
    await this.database.transaction(async (tx) => {
      await tx.query('SELECT 1 FROM inventory WHERE sku_id = $1 FOR UPDATE', [block.skuId]);
      const rows = await tx.query(
        `UPDATE warehouse_block SET state = 'DONE', granted = $2, done_at = clock_timestamp() WHERE operation_id = $1 AND state = 'WAITING' RETURNING 1`,
        [block.operationId, granted]);
      if (rows.length === 0 || block.kind === 'put-back') return;
      await tx.query(
        `INSERT INTO inventory AS i (sku_id, units) VALUES ($1, $2) ON CONFLICT (sku_id) DO UPDATE SET units = i.units + excluded.units, updated_at = clock_timestamp()`,
        [block.skuId, granted]);
    });
  }

  async later(block: WarehouseBlock, error: string): Promise<void> {
    await this.database.query(
      `UPDATE warehouse_block SET attempts = attempts + 1, last_error = $2, next_attempt_at = clock_timestamp() + ${backOffSql}
       WHERE operation_id = $1 AND state = 'WAITING'`, [block.operationId, error]);
  }

  /** Of these SKUs, those of which an answer is still to come. */
  async taking(from: Transaction | Database, skus: readonly string[]): Promise<string[]> {
    const rows = await from.query<{ skuId: string }>(
      `SELECT DISTINCT sku_id AS "skuId" FROM warehouse_block WHERE sku_id = ANY($1) AND state = 'WAITING' AND kind = 'take'`, [skus]);
    return rows.map(({ skuId }) => skuId);
  }

  /** How many questions are open, and since when the oldest; null seconds without any. */
  async waiting(): Promise<{ count: number; oldestSeconds: number | null }> {
    const rows = await this.database.query<{ count: number; oldestSeconds: number | null }>(
      `SELECT count(*)::int AS count, extract(epoch FROM clock_timestamp() - min(asked_at))::float8 AS "oldestSeconds" FROM warehouse_block WHERE state = 'WAITING'`);
    return rows[0]!;
  }

  /**
   * Gives back what no sale promises any more: of one SKU what lies beyond the allotments of sales that are not over and what orders
   * have. Returns how many units.
   */
  async giveBackSpare(tx: Transaction, skuId: string): Promise<number> {
    const rows = await tx.query<{ spare: number }>(
      `SELECT (v.units - greatest(v.taken, coalesce((
           SELECT sum(CASE WHEN s.state IN ('ENDED', 'WITHDRAWN') OR s.closes_at_ms <= extract(epoch FROM clock_timestamp()) * 1000
             THEN l.held + l.sold + l.burned ELSE l.allotment END)
           FROM sale_item i JOIN lane_item l USING (sale_id, item_id) JOIN sale s USING (sale_id) WHERE i.sku_id = v.sku_id), 0)))::int AS spare
       FROM inventory v WHERE v.sku_id = $1 FOR UPDATE`, [skuId]);
    const spare = rows[0]?.spare ?? 0;
    if (spare <= 0) return 0;
    await tx.query('UPDATE inventory SET units = units - $2, updated_at = clock_timestamp() WHERE sku_id = $1', [skuId, spare]);
    await this.add(tx, 'put-back', skuId, spare);
    return spare;
  }

  /** SKUs that may have spare units: some sale of theirs is over, and no question about them is open. */
  async maybeSpare(limit: number): Promise<string[]> {
    const rows = await this.database.query<{ skuId: string }>(
      `SELECT v.sku_id AS "skuId" FROM inventory v WHERE v.units > v.taken
         AND EXISTS (SELECT 1 FROM sale_item i JOIN sale s USING (sale_id) WHERE i.sku_id = v.sku_id
           AND (s.state IN ('ENDED', 'WITHDRAWN') OR s.closes_at_ms <= extract(epoch FROM clock_timestamp()) * 1000))
         AND EXISTS (SELECT 1 FROM warehouse_block b WHERE b.sku_id = v.sku_id)
         AND NOT EXISTS (SELECT 1 FROM warehouse_block b WHERE b.sku_id = v.sku_id AND b.state = 'WAITING')
       ORDER BY v.sku_id LIMIT $1`, [limit]);
    return rows.map(({ skuId }) => skuId);
  }
}
