import type { ReleaseReason, ReservationState, SaleState } from './sale-state.js';
import type { ItemQuantity } from './ids.js';

export * from './channel-views.js';
export * from './settlement-views.js';

/** Shapes of the public contract, as HTTP answers carry them: RFC 3339 times with milliseconds, money in minor units. */
export interface Money {
  amount: number;
  currency: string;
}

export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

export interface ReservationView {
  id: string;
  saleId: string;
  items: ItemQuantity[];
  state: ReservationState;
  terminal: boolean;
  reason: ReleaseReason | null;
  orderId: string | null;
  amount: Money | null;
  payBy: string | null;
  number: number;
  ahead: number | null;
  version: number;
  updatedAt: string;
  pollAfterMs: number;
}

export interface OrderView {
  id: string;
  reservationId: string;
  saleId: string;
  items: { itemId: string; skuId: string; title: string; quantity: number; price: Money }[];
  amount: Money;
  state: ReservationState;
  reason: ReleaseReason | null;
  payBy: string | null;
  /** The order that a late payment of this one has bought instead; and the other way round. */
  replacedBy?: string;
  replaces?: string;
  createdAt: string;
  updatedAt: string;
  /** Only for the order's owner, and only once they are the order's for good. */
  codes?: string[];
}

/** The redemption codes of one item, counted. `onRefund`: what becomes of issued codes whose order is refunded. */
export interface CodePoolView {
  saleId: string;
  itemId: string;
  total: number;
  free: number;
  issued: number;
  redeemed: number;
  burned: number;
  onRefund: 'burn' | 'return';
}

/** `codes`: all of the order's now. */
export interface ReissueView {
  orderId: string;
  replaced: number;
  codes: string[];
}

export interface RedemptionView {
  orderId: string;
  redeemed: number;
  /** Of the order's codes, those not redeemed yet. */
  left: number;
  redeemedAt: string;
}

export interface PartnerOrderView {
  orderId: string;
  state: 'PRE_ORDERED' | 'ISSUED' | 'REFUNDED';
  saleId: string | null;
  itemId: string | null;
  quantity: number;
  codes: string[];
  version: number;
  updatedAt: string;
}

export interface PaymentView {
  paymentId: string;
  provider: string;
  amount: Money;
  redirectUrl: string;
  expiresAt: string;
}

export interface ExplanationView {
  id: string;
  state: ReservationState;
  reason: ReleaseReason | null;
  number: number;
  entries: { at: string; itemId: string; entry: string; quantity: number; remainingBefore: number; remainingAfter: number }[];
}

export interface SaleItemView {
  id: string;
  skuId: string;
  title: string;
  imageUrl: string | null;
  kind: 'goods' | 'voucher';
  price: Money;
  listPrice: Money | null;
  quota: number;
  perAccount: number | null;
}

/** Real stock of a SKU. `short`: units that orders have taken and that are not there. */
export interface InventoryView {
  skuId: string;
  units: number;
  taken: number;
  short: number;
}

/** The item after a change of its stock; `available`: free units then, by the orders' book. */
export interface StockChangeView extends SaleItemView {
  itemId: string;
  delta: number;
  available: number;
  stockVersion: number;
}

export interface SaleView {
  id: string;
  state: SaleState;
  version: number;
  title: string;
  merchantId: string;
  mode: 'race';
  opensAt: string;
  closesAt: string;
  paymentWindowSeconds: number;
  latePayment: 'refund' | 'reacquire';
  limits: { perAccount?: number | null; perIp?: number | null; attemptsPerMinute?: number | null };
  challenge: 'none' | 'proof-of-work';
  items: SaleItemView[];
  submittedBy: string | null;
  approvedBy: string | null;
  createdAt: string;
  updatedAt: string;
  armError: string | null;
  /** As given; accounts that came by file are only counted. Null: the sale is for everybody. Lists leave the accounts out. */
  audience: { accounts: string[] } | null;
}

export interface PreflightView {
  ok: boolean;
  rows: { check: string; ok: boolean; detail: string }[];
}

export interface AuditView {
  verdict: 'clean' | 'broken' | 'unknown';
  saleId: string;
  asOf: string;
  settling: number;
  oversold: number;
  lost: number;
  duplicated: number;
  unexplained: number;
  redisEqualsPostgres: boolean;
  items: { itemId: string; quota: number; available: number; held: number; sold: number; burned: number; redisAvailable: number }[];
  payments: { captured: number; refunded: number };
  /** What was found wrong or is under way, in words, at most 50 lines. */
  findings: string[];
}

/** A part of one file of a sale's export, and what the certificate says of the whole. */
export interface SaleExportView { certificate: Record<string, unknown>; file: string; text: string; nextCursor: string | null }

export interface ReportView {
  saleId: string;
  funnel: Record<string, number>;
  soldOutAt: string | null;
  amount: Money;
  percentiles: Record<string, number>;
  /** When each item had no free unit left for the first time; null: never. */
  items: { itemId: string; soldOutAt: string | null }[];
  /** When the first second of `perSecond` began; null before there is a reservation. */
  startedAt: string | null;
  /** What happened in each of the first 600 seconds, those in which nothing did left out. Counts of reservations. */
  perSecond: { second: number; reserved: number; ordered: number; paid: number; released: number }[];
}

/** An order that waits between the steps of its saga. */
export interface StuckSagaView {
  /** `closing`: the provider does not close its payment. `refunding`: money is not given back yet. `reacquiring`: a late payment waits for its units. `parked`: its message is a dead letter. */
  kind: 'closing' | 'refunding' | 'reacquiring' | 'parked';
  orderId: string;
  saleId: string;
  /** The payment to be given back, or to buy its units again; null where it is not asked for yet, or this is neither. */
  paymentId: string | null;
  /** Where the order's row stands. */
  orderState: string;
  reason: ReleaseReason | null;
  attempts: number;
  /** When it is tried again, or given up where it is parked; null: nobody knows. */
  nextAttemptAt: string | null;
  lastError: string | null;
  since: string;
}

/** How far a withdrawn sale is: what is open, on the way back, and over. */
export interface WithdrawalView {
  saleId: string;
  open: number;
  refunding: number;
  closed: number;
  total: number;
  done: boolean;
}

export interface DeadLetterView {
  id: string;
  queue: string;
  message: string;
  reason: string;
  firstError: string;
  lastError: string;
  attempts: number;
  state: 'waiting' | 'replayed' | 'discarded';
  reservationIds: string[];
  occurredAt: string;
  body: unknown;
}

export interface BlockView {
  accountId: string;
  reason: string | null;
  /** Null: until somebody lifts it. */
  until: string | null;
  /** Who blocked the account. */
  actor: string;
  blockedAt: string;
}

export interface AuditLogEntryView {
  id: string;
  at: string;
  accountId: string;
  action: string;
  subject: string;
  reason: string | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  /** Of this entry and all before it, hex. */
  hash: string;
  /** Whether the hash is still that of the entry and of the one before it. */
  intact: boolean;
}

/** A switch and what it may be set to. `changedAt` and `changedBy` are null while it has its default. */
export interface SwitchView {
  name: string;
  value: boolean | number;
  default: boolean | number;
  type: 'boolean' | 'integer';
  min?: number;
  max?: number;
  meaning: string;
  changedAt: string | null;
  changedBy: string | null;
}
