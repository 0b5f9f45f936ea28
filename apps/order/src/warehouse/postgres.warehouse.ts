import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '@floodgate/platform';
import { unitsMax, type Needs } from '../inventory/inventory.store.js';
import { Warehouse } from './warehouse.js';

/**
 * Our own table is the warehouse: an operator says how many units there are. Of what nobody has counted it is assumed that there is
 * as much as the sales offer.
 */
@Injectable()
export class PostgresWarehouse extends Warehouse {
  constructor(private readonly database: Database) {
    super();
  }

  /** Unknown SKUs get these units; known ones are left alone. */
  async promised(tx: Transaction, units: Needs): Promise<void> {
    const skus = [...units.keys()].sort();
    await tx.query(
      'INSERT INTO inventory (sku_id, units, assumed) SELECT *, true FROM unnest($1::text[], $2::int[]) ON CONFLICT (sku_id) DO NOTHING',
      [skus, skus.map((sku) => units.get(sku))]);
  }

  async changed(tx: Transaction, skuId: string, delta: number): Promise<void> {
    await tx.query(`UPDATE inventory SET units = least(greatest(units::bigint + $2, 0), ${unitsMax})::int, updated_at = clock_timestamp() WHERE sku_id = $1 AND assumed`, [skuId, delta]);
  }

  async free(skus: readonly string[]): Promise<{ skuId: string; free: number }[]> {
    return this.database.query('SELECT sku_id AS "skuId", units - taken AS free FROM inventory WHERE sku_id = ANY($1)', [skus]);
  }

  /** The table knows all there is to know. */
  async undecided(): Promise<string[]> {
    return [];
  }

  async ready(): Promise<boolean> {
    return true;
  }
}
