import { Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';

/** Sales are copied once and their items never change, so what was read stays true; the bound only keeps memory small. */
const salesKeptMax = 1_000;

/** Which items are vouchers, whose orders are owed codes. Asked on every payment, so it remembers. */
@Injectable()
export class VoucherItems {
  private readonly known = new Map<string, ReadonlySet<string>>();

  constructor(private readonly database: Database) {}

  async ofSale(saleId: string, from: Transaction | Database = this.database): Promise<ReadonlySet<string>> {
    const known = this.known.get(saleId);
    if (known) return known;
    const rows = await from.query<{ itemId: string; kind: string }>({
      name: 'voucher-items', text: 'SELECT item_id AS "itemId", kind FROM sale_item WHERE sale_id = $1', values: [saleId],
    });
    const vouchers = new Set(rows.filter(({ kind }) => kind === 'voucher').map(({ itemId }) => itemId));
    // No items: the copy has not arrived yet.
    if (rows.length === 0) return vouchers;
    if (this.known.size >= salesKeptMax) this.known.clear();
    this.known.set(saleId, vouchers);
    return vouchers;
  }
}
