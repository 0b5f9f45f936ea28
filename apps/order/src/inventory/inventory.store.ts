import { Database, InfrastructureError, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { AdminActs } from '../audit-log/admin-acts.js';
import { Warehouse } from '../warehouse/warehouse.js';

/** What the column holds; more units of one SKU than that is a slip of the keyboard. */
export const unitsMax = 2 ** 31 - 1;

/** Real stock of one SKU. `taken` may exceed `units`: the warehouse can turn out to have less than was promised. */
interface InventoryRow {
  skuId: string;
  units: number;
  taken: number;
}

/** What one order needs of each SKU (the same SKU may stand behind several items). */
export type Needs = ReadonlyMap<string, number>;

/** The real stock behind the items, whatever the sales promise of it. */
@Injectable()
export class InventoryStore {
  constructor(private readonly database: Database, private readonly acts: AdminActs, private readonly warehouse: Warehouse) {}

  /**
   * Takes each order's units, all SKUs or none, in the order given. Returns the indexes of the orders that are short of units.
   * @param needs per order
   * @throws InfrastructureError where one is short of units that the warehouse may still give: then nobody knows, and all wait
   */
  async take(tx: Transaction, needs: readonly Needs[]): Promise<Set<number>> {
    const rows = await this.lock(tx, needs);
    const short = new Set<number>();
    const taken = new Map<string, number>();
    needs.forEach((need, index) => {
      const fits = [...need].every(([sku, units]) => {
        const row = rows.get(sku);
        return row !== undefined && row.taken + (taken.get(sku) ?? 0) + units <= row.units;
      });
      if (!fits) short.add(index);
      else for (const [sku, units] of need) taken.set(sku, (taken.get(sku) ?? 0) + units);
    });
    if (short.size > 0) {
      const undecided = await this.warehouse.undecided(tx, [...new Set([...short].flatMap((index) => [...needs[index]!.keys()]))]);
      if (undecided.length > 0) throw new InfrastructureError(`the warehouse has not said yet what it has of ${undecided.slice(0, 5).join(', ')}`);
    }
    await this.move(tx, taken, 1);
    return short;
  }

  /** Gives back what the orders had taken. */
  async putBack(tx: Transaction, needs: readonly Needs[]): Promise<void> {
    await this.lock(tx, needs);
    const units = new Map<string, number>();
    for (const need of needs) for (const [sku, count] of need) units.set(sku, (units.get(sku) ?? 0) + count);
    await this.move(tx, units, -1);
  }

  /** Locks the rows by SKU; in the one order of locks they come after the lanes' items and before the orders. */
  async lock(tx: Transaction, needs: readonly Needs[]): Promise<Map<string, InventoryRow>> {
    const skus = new Set(needs.flatMap((need) => [...need.keys()]));
    if (skus.size === 0) return new Map();
    const rows = await tx.query<InventoryRow>({
      name: 'inventory-lock',
      text: 'SELECT sku_id AS "skuId", units, taken FROM inventory WHERE sku_id = ANY($1) ORDER BY sku_id FOR UPDATE',
      values: [[...skus]],
    });
    return new Map(rows.map((row) => [row.skuId, row]));
  }

  /** A sale was approved that promises these units: wherever they come from, they are to be there. */
  promised(tx: Transaction, units: Needs): Promise<void> {
    return this.warehouse.promised(tx, units);
  }

  /** The sales promise more units of a SKU, or fewer. */
  changed(tx: Transaction, skuId: string, delta: number): Promise<void> {
    return this.warehouse.changed(tx, skuId, delta);
  }

  /** Units of a SKU, how many of them orders have taken, and how many are missing to what was taken; null if it is unknown. */
  async find(skuId: string): Promise<{ skuId: string; units: number; taken: number; short: number } | null> {
    const rows = await this.database.query<InventoryRow>('SELECT sku_id AS "skuId", units, taken FROM inventory WHERE sku_id = $1', [skuId]);
    const row = rows[0];
    return row ? { ...row, short: Math.max(0, row.taken - row.units) } : null;
  }

  /** Sets the units of a SKU, known or not, and writes down who did it. Orders that exist keep theirs, even below what is taken. */
  async set(skuId: string, units: number, actor: string): Promise<void> {
    await this.database.transaction(async (tx) => {
      const before = await tx.query<{ units: number }>('SELECT units FROM inventory WHERE sku_id = $1 FOR UPDATE', [skuId]);
      await tx.query(
        `INSERT INTO inventory (sku_id, units) VALUES ($1, $2)
         ON CONFLICT (sku_id) DO UPDATE SET units = excluded.units, assumed = false, updated_at = clock_timestamp()`, [skuId, units]);
      await tx.query('INSERT INTO inventory_change (sku_id, actor, units_before, units_after) VALUES ($1, $2, $3, $4)',
        [skuId, actor, before[0]?.units ?? null, units]);
      await this.acts.note(tx, { accountId: actor, action: 'set-inventory', subject: skuId, reason: null, before: before[0] ? { units: before[0].units } : null, after: { units } });
    });
  }

  private async move(tx: Transaction, units: Needs, sign: 1 | -1): Promise<void> {
    if (units.size === 0) return;
    await tx.query({
      name: 'inventory-move',
      text: 'UPDATE inventory i SET taken = i.taken + m.units FROM unnest($1::text[], $2::int[]) AS m (sku_id, units) WHERE i.sku_id = m.sku_id',
      values: [[...units.keys()], [...units.values()].map((count) => sign * count)],
    });
  }
}
