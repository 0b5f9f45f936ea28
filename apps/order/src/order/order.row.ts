import type { ItemQuantity, ReleaseReason } from '@floodgate/contracts';
import type { OrderState } from './order.transitions.js';

/** One row of `orders`. `amount` in minor units of `currency`; times are the database's, in milliseconds. */
export interface OrderRow {
  saleId: string;
  rid: string;
  lane: number;
  accountId: string;
  ipHash: string;
  /** 0 where the reservation's number is not known (a tombstone). */
  number: number;
  items: ItemQuantity[];
  state: OrderState;
  /** Why it is being closed (CLOSING, REFUNDING) or was (CLOSED). */
  reason: ReleaseReason | null;
  version: number;
  amount: number;
  currency: string;
  /** Null where the order never came to wait for payment. */
  payBy: Date | null;
  reservedAt: Date;
  createdAt: Date;
  updatedAt: Date;
  paidAt: Date | null;
  closingSince: Date | null;
}

/** The columns of {@link OrderRow}, for every statement that reads or returns whole rows (of `orders` under the alias o). */
export const orderColumns = `o.sale_id AS "saleId", o.rid, o.lane, o.account_id AS "accountId", o.ip_hash AS "ipHash", o.number::float8 AS number,
  o.items, o.state, o.reason, o.version, o.amount::float8 AS amount, o.currency, o.pay_by AS "payBy", o.reserved_at AS "reservedAt",
  o.created_at AS "createdAt", o.updated_at AS "updatedAt", o.paid_at AS "paidAt", o.closing_since AS "closingSince"`;
