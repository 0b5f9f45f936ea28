import { Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { AdminActs } from '../audit-log/admin-acts.js';

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
  constructor(private readonly database: Database, private readonly acts: AdminActs) {}

  /**
   * Takes each order's units, all SKUs or none, in the order given. Returns the indexes of the orders that are short of units.
   * @param needs per order
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

  /** Sets unknown SKUs to these units, as arming a sale does; known ones are left alone. Nobody has counted them: they are assumed. */
  async introduce(tx: Transaction, units: Needs): Promise<void> {
    const skus = [...units.keys()].sort();
    await tx.query(
      'INSERT INTO inventory (sku_id, units, assumed) SELECT *, true FROM unnest($1::text[], $2::int[]) ON CONFLICT (sku_id) DO NOTHING',
      [skus, skus.map((sku) => units.get(sku))]);
  }

  /** A sale offers more (or fewer) units of a SKU: where nobody has counted it, that is what is assumed to be there. */
  async follow(tx: Transaction, skuId: string, delta: number): Promise<void> {
    await tx.query(`UPDATE inventory SET units = least(greatest(units::bigint + $2, 0), ${unitsMax})::int, updated_at = clock_timestamp() WHERE sku_id = $1 AND assumed`, [skuId, delta]);
  }

  /** Units of a SKU, those taken by orders included; null if it is unknown. */
  async units(skuId: string): Promise<number | null> {
    const rows = await this.database.query<{ units: number }>('SELECT units FROM inventory WHERE sku_id = $1', [skuId]);
    return rows[0]?.units ?? null;
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
