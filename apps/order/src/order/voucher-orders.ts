import { Injectable } from '@nestjs/common';
import { CodeReader } from '../codes/code-reader.js';
import { VoucherItems } from '../codes/voucher-items.js';
import type { OrderRow } from './order.row.js';

/** What an order's owner may know of codes. */
@Injectable()
export class VoucherOrders {
  constructor(private readonly vouchers: VoucherItems, private readonly codes: CodeReader) {}

  /** The items of the order's sale that are vouchers. */
  itemsOf(order: OrderRow): Promise<ReadonlySet<string>> {
    return this.vouchers.ofSale(order.saleId);
  }

  /** Only of an order that has them for good. */
  async codesOf(order: OrderRow): Promise<string[] | undefined> {
    return order.state === 'FULFILLED' ? this.codes.codesOf(order.rid) : undefined;
  }
}
