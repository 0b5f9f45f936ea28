import { z } from 'zod';
import { stockAccount } from './ids.js';
import { releaseReasons, reservationStates, storedSaleStates } from './sale-state.js';
import { switchStateSchema } from './switches.js';

/** Opaque ids: at most 64 URL-safe characters. */
export const idSchema = z.string().regex(/^[A-Za-z0-9._~-]{1,64}$/);
const units = z.int().min(0);
const timeMs = z.int().min(0);
const lane = z.int().min(0);
const epoch = z.int().min(1);

export const itemQuantitySchema = z.object({ itemId: idSchema, quantity: z.int().min(1).max(100) });
const items = z.array(itemQuantitySchema).min(1).max(20);

/** A sale as approved: everything that order, seckill and the gateways need to sell it. Prices in minor units of `currency`. */
export const saleDocumentSchema = z.object({
  saleId: idSchema,
  version: z.int().min(1),
  state: z.enum(storedSaleStates),
  title: z.string(),
  merchantId: idSchema,
  mode: z.literal('race'),
  opensAtMs: timeMs,
  closesAtMs: timeMs,
  paymentWindowMs: timeMs,
  latePayment: z.enum(['refund', 'reacquire']),
  /** `attemptsPerMinute` is of one account, and the gateways' to keep. */
  limits: z.object({ perAccount: z.int().min(1).nullable(), perIp: z.int().min(1).nullable(), attemptsPerMinute: z.int().min(1).nullish() }),
  challenge: z.enum(['none', 'proof-of-work']),
  currency: z.string().length(3),
  /** Key of the reservation ids' HMAC, hex. */
  ridSecret: z.string().regex(/^[0-9a-f]{32,}$/),
  lanes: z.int().min(1),
  /** Only these may buy; absent or null: anybody may. `byCode`: more of them may come, by a code. */
  audience: z.object({ byCode: z.boolean() }).nullable().optional(),
  items: z.array(z.object({
    itemId: idSchema,
    skuId: idSchema,
    title: z.string(),
    imageUrl: z.string().nullable(),
    kind: z.enum(['goods', 'voucher']),
    price: z.int().min(0),
    listPrice: z.int().min(0).nullable(),
    quota: units,
    perAccount: z.int().min(1).nullable(),
    /** Rises with each change of the quota after the approval; absent before the first. */
    stockVersion: z.int().min(1).optional(),
  })).min(1),
});
export type SaleDocument = z.infer<typeof saleDocumentSchema>;

/** One lane to load into Redis: its window, limits and allotments. The rows it holds already are read from the order service. */
export const laneLoadSchema = z.object({
  saleId: idSchema,
  lane,
  epoch,
  version: z.int().min(1),
  /** `ARMED` goes by the clock. */
  state: z.enum(['ARMED', 'PAUSED', 'ENDED', 'WITHDRAWN']),
  opensAtMs: timeMs,
  closesAtMs: timeMs,
  perAccount: z.int().min(1).nullable(),
  perIp: z.int().min(1).nullable(),
  items: z.array(z.object({
    itemId: idSchema, allotment: units, perAccount: z.int().min(1).nullable(),
    /** Rises with each change of the allotment. */
    allotmentVersion: z.int().min(0).optional(),
  })).min(1),
});
export type LaneLoad = z.infer<typeof laneLoadSchema>;

/** A reservation as Redis made it. `number` rises with each admission of the sale; `reservedAtMs` is Redis's clock. */
export const reservationSchema = z.object({
  rid: idSchema,
  accountId: idSchema,
  /** Hash of the client's address, hex; empty where the sale has no limit per address. */
  ipHash: z.string().max(64),
  items,
  number: z.int().min(1),
  reservedAtMs: timeMs,
});
export type Reservation = z.infer<typeof reservationSchema>;

/**
 * What Postgres says of one reservation: whether it holds its units, and whether that is final (paid, or given back). Units that an
 * operator takes back are reserved too, by `stockAccount` and in any number.
 */
export const syncRowSchema = reservationSchema.extend({
  accountId: idSchema.or(z.literal(stockAccount)),
  items: z.array(z.object({ itemId: idSchema, quantity: z.int().min(1) })).min(1).max(20),
  version: z.int().min(1), holds: z.boolean(), settled: z.boolean(),
});
export type SyncRow = z.infer<typeof syncRowSchema>;

/** How many units of an item a lane has in all, as Postgres has it at one version. */
export const allotmentSchema = z.object({ itemId: idSchema, version: z.int().min(1), allotment: units });
export type Allotment = z.infer<typeof allotmentSchema>;

/** Free units of one item that Redis has taken out of sale for an operator; `rid` is the id of the act. */
export const takeBackSchema = z.object({ rid: idSchema, itemId: idSchema, quantity: z.int().min(1), number: z.int().min(1), reservedAtMs: timeMs });
export type TakeBack = z.infer<typeof takeBackSchema>;

/** The public face of an order at one version. */
export const orderNoticeSchema = z.object({
  rid: idSchema,
  accountId: idSchema,
  version: z.int().min(1),
  state: z.enum(reservationStates),
  reason: z.enum(releaseReasons).nullable(),
  amount: z.int().min(0),
  currency: z.string().length(3),
  payByMs: timeMs.nullable(),
  updatedAtMs: timeMs,
  items,
  number: z.int().min(0),
});
export type OrderNotice = z.infer<typeof orderNoticeSchema>;
const orderNotices = z.object({ saleId: idSchema, orders: z.array(orderNoticeSchema).min(1) });

/** One account of the block list at one version; `untilMs` null: until somebody lifts it. */
export const blockSchema = z.object({ accountId: idSchema, version: z.int().min(1), blocked: z.boolean(), untilMs: timeMs.nullable() });
export type Block = z.infer<typeof blockSchema>;

/** What a person (or the platform itself) did to something that only people change, with the values before and after. */
export const adminActSchema = z.object({
  /** The same for every repetition of the message. */
  actId: idSchema,
  atMs: timeMs,
  accountId: z.string().min(1).max(64),
  action: z.string().min(1).max(64),
  /** What it was done to: the id of a sale, an item, a SKU, an account, a dead letter. */
  subject: z.string().min(1).max(200),
  reason: z.string().nullable(),
  before: z.record(z.string(), z.unknown()).nullable(),
  after: z.record(z.string(), z.unknown()).nullable(),
});
export type AdminAct = z.infer<typeof adminActSchema>;

/**
 * Every message, in the order a purchase meets them. Past tense = an event that anybody may listen to;
 * imperative = a command with one listener. All times are epoch milliseconds.
 */
export const messages = {
  /** promotion: a sale may be armed. */
  'sale.approved': saleDocumentSchema,
  /**
   * promotion: a later state of an approved sale; apply only newer versions. `beforeArming`: no `sale.approved` was sent yet, so that
   * only gateways, which show what is upcoming, have something to do.
   */
  'sale.changed': z.object({ saleId: idSchema, version: z.int().min(1), state: z.enum(storedSaleStates), beforeArming: z.boolean().optional() }),
  /** promotion: accounts were blocked, or are not any more; apply only newer versions. */
  'block-list.changed': z.object({ entries: z.array(blockSchema).min(1) }),
  /** order: an operator acted there; the audit log is promotion's. */
  'admin.acted': adminActSchema,
  /** promotion: an operator has set a switch. A hint: gateways also ask for the switches each second. */
  'switches.changed': switchStateSchema,
  /** order → seckill: put these lanes into Redis. Arming and rebuilding are the same. */
  'load-lanes': z.object({ reason: z.enum(['arm', 'rebuild']), lanes: z.array(laneLoadSchema).min(1) }),
  /** seckill: a lane sells from this epoch. */
  'lane.loaded': z.object({ saleId: idSchema, lane, epoch }),
  /** order: every lane of the sale is loaded for the first time. */
  'sale.armed': z.object({ saleId: idSchema }),
  /** order or seckill: why an approved sale could not be armed (it is tried again). */
  'sale.arm-failed': z.object({ saleId: idSchema, error: z.string() }),
  /** seckill → order: Redis may have forgotten; raise the epoch of each lane still at the epoch seen, and load again. */
  'rebuild-lanes': z.object({ reason: z.string(), seen: z.array(z.object({ saleId: idSchema, lane, epoch })).min(1) }),
  /** seckill → order: reservations of one lane, to be judged. Identity is the rid, not the message. */
  'place-order': z.object({ saleId: idSchema, lane, epoch, reservations: z.array(reservationSchema).min(1).max(256) }),
  /** seckill → order: units that the reserve script took out of sale for an operator, to be booked. Identity is the rid, not the message. */
  'book-take-back': z.object({ saleId: idSchema, lane, epoch, takeBacks: z.array(takeBackSchema).min(1).max(256) }),
  /**
   * order → seckill: rows and allotments of one lane as Postgres has them; apply only newer versions. An allotment that shrank comes
   * with the row that held its units, and both are applied at once.
   */
  'sync-stock': z.object({ saleId: idSchema, lane, rows: z.array(syncRowSchema), allotments: z.array(allotmentSchema).optional() }),
  /** order: an operator added units to an item, or took some back; `quota` is the item's at this `stockVersion`, apply only newer ones. */
  'stock.changed': z.object({
    saleId: idSchema, itemId: idSchema, changeId: idSchema, stockVersion: z.int().min(1), quota: units, quotaBefore: units,
    accountId: idSchema, reason: z.string(), atMs: timeMs,
  }),
  /** order: orders exist and wait for payment. */
  'order.created': orderNotices,
  /** order: paid; the point of no return. */
  'order.paid': orderNotices,
  /** order: what was paid for was handed over. */
  'order.fulfilled': orderNotices,
  /** order: a late payment has bought a released order's units again: `replacedBy` is paid, this one stays released. */
  'order.replaced': z.object({ saleId: idSchema, orders: z.array(orderNoticeSchema.extend({ replacedBy: idSchema })).min(1) }),
  /** order: money of a buyer that the order could not take (too late, or twice) is being given back; the order stays as it is. */
  'payment.returned': orderNotices,
  /** order: released, with the reason. */
  'order.closed': orderNotices,
} as const satisfies Record<string, z.ZodType>;

export type MessageName = keyof typeof messages;
export type MessageBody<N extends MessageName> = z.infer<(typeof messages)[N]>;

/** What seckill tells every gateway about a lane, from one Lua read. */
export const boardLaneSchema = z.object({
  saleId: idSchema,
  lane,
  epoch: z.int().min(0),
  /** Version of the sale's state in Redis. */
  version: z.int().min(0),
  state: z.enum(['ARMED', 'PAUSED', 'ENDED', 'WITHDRAWN']),
  /** False while Redis may have forgotten and is rebuilt: nothing is sold. */
  selling: z.boolean(),
  /** Redis's clock at the read. */
  atMs: timeMs,
  /** True: `items` are all items; false: those changed since the message before. */
  whole: z.boolean(),
  /** itemId, available, unsettled (units held by unpaid orders, which may return). */
  items: z.array(z.tuple([idSchema, z.int(), z.int()])),
  /** How many admissions came before those in `admitted`; a gateway with another count asks for the whole board. */
  admittedFrom: z.int().min(0),
  /** `hash32` of the accounts admitted since. */
  admitted: z.array(z.int().min(0)),
});
export type BoardLane = z.infer<typeof boardLaneSchema>;

/** Transient broadcast on the board exchange: on change, and each second. A gap in `seq` of a `source` means: ask for the whole. */
export const boardSchema = z.object({ source: z.string(), seq: z.int().min(0), atMs: timeMs, lanes: z.array(boardLaneSchema) });
export type Board = z.infer<typeof boardSchema>;
