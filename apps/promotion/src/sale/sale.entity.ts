import type { StoredSaleState } from '@floodgate/contracts';

export interface Price {
  /** Minor units. */
  amount: number;
  currency: string;
}

export interface SaleItem {
  skuId: string;
  title: string;
  imageUrl: string | null;
  kind: 'goods' | 'voucher';
  price: Price;
  listPrice: Price | null;
  /** Units for this sale. */
  quota: number;
  perAccount: number | null;
  /** Rises with each change of the quota after the approval; absent before the first. */
  stockVersion?: number;
}

/** What a merchant decides about a sale. Item n of `items` has the id `<sale id>-<n + 1>`. */
export interface SaleContent {
  title: string;
  merchantId: string;
  mode: 'race';
  opensAtMs: number;
  closesAtMs: number;
  paymentWindowSeconds: number;
  latePayment: 'refund' | 'reacquire';
  /** Null: for everybody. `accounts` are those of the body, for its echo; who is in is in the table of members. */
  audience: { accounts: string[]; byCode: boolean } | null;
  /** As given: absent or null means no limit. */
  limits: { perAccount?: number | null; perIp?: number | null; attemptsPerMinute?: number | null };
  /** What a buyer has to solve before entering. */
  challenge: 'none' | 'proof-of-work';
  items: SaleItem[];
}

export interface Sale extends SaleContent {
  id: string;
  /** What is stored; what people see follows from it and the clock (`saleStateAt`). */
  state: StoredSaleState;
  /** +1 with every change that others must hear of; whoever receives a change applies only newer ones. */
  version: number;
  /** Who made or changed the draft last: never the one who judges it. */
  editedBy: string;
  submittedBy: string | null;
  approvedBy: string | null;
  /** Why an approved sale is not armed. */
  armError: string | null;
  /** Key of the reservation ids' HMAC, hex. Never leaves the platform. */
  ridSecret: string;
  createdAtMs: number;
  updatedAtMs: number;
}

/** A sale has one currency: that of its first item (validated when the sale is made or changed). */
export const currencyOf = (content: Pick<SaleContent, 'items'>): string => content.items[0]?.price.currency ?? '';
