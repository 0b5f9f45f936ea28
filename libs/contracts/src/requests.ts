import { z } from 'zod';
import { channelRequests } from './channel-requests.js';
import { codeRequests } from './code-requests.js';
import type { Outcome } from './errors.js';
import { blockSchema, boardLaneSchema, idSchema, laneLoadSchema, reservationSchema, saleDocumentSchema, syncRowSchema, type Allotment, type BoardLane, type LaneLoad, type Reservation, type SaleDocument, type SyncRow } from './messages.js';
import type { ReconciliationView } from './reconciliation.js';
import { saleTransitions, type SaleAction } from './sale-state.js';
import { switchStateSchema } from './switches.js';
import type { RequestQueueName } from './topology.js';
import type * as View from './views.js';

/** The answer's shape for the compiler; the answer is checked where it is made. */
const answers = <T>() => z.custom<T>((value) => value !== undefined);

const actor = z.object({ accountId: idSchema, roles: z.array(z.string()) });
export type Actor = z.infer<typeof actor>;
const page = { limit: z.int().min(1).max(100), cursor: z.string().nullable() };
const nowMs = z.int().min(0);
const saleId = idSchema;
const rid = idSchema;
/** Reservations that are asked after by name at once. */
export const recallMax = 256;
/** Accounts of one `add-audience`. */
export const audienceChunkMax = 10_000;
const accountId = idSchema;

/**
 * Why the gateway would turn an attempt away, judged only after replay and the sale's state (the order of refusals is in docs/api.md);
 * a rate only after the items, too.
 */
export const gates = ['clear', 'entry-token-forged', 'entry-token-expired', 'buyer-blocked', 'not-eligible', 'rate-limited-ip', 'rate-limited-account', 'rate-limited-sale'] as const;
export type Gate = (typeof gates)[number];

/** One attempt of a vector. `items` as packItems writes them. */
export const attemptSchema = z.object({
  rid, accountId, ipHash: z.string().max(64),
  /** `readmitted`, of the order service: a buyer who was admitted before and has paid since, late. Neither window nor pause counts; limits and stock do. */
  gate: z.enum([...gates, 'readmitted']),
  items: z.string().min(3).max(2048),
});
export type Attempt = z.infer<typeof attemptSchema>;
/** As a gateway makes it. */
export type BuyerAttempt = Attempt & { gate: Gate };

/** Words of the reserve script and of the publishing after it. */
export const reserveWords = [
  'reserved', 'replayed', 'key-reused', 'not-open', 'paused', 'ended', 'gated', 'item-not-found', 'limit-reached', 'sold-out',
  'unavailable', 'outcome-unknown',
] as const;
export const attemptResultSchema = z.object({
  word: z.enum(reserveWords),
  /** reserved, replayed: the admission's number and Redis's clock at that time. */
  number: z.int().optional(),
  reservedAtMs: z.int().optional(),
  /** item-not-found, sold-out */
  itemId: z.string().optional(),
  /** sold-out: what is left, and whether unpaid units may return */
  remaining: z.int().optional(),
  mayReturn: z.boolean().optional(),
  /** limit-reached */
  scope: z.enum(['item', 'sale', 'ip']).optional(),
  limit: z.int().optional(),
});
export type AttemptResult = z.infer<typeof attemptResultSchema>;

export const saleActions = Object.keys(saleTransitions) as [SaleAction, ...SaleAction[]];

/**
 * Every request between services: who answers it (the queue), what is asked, what is answered.
 * Times are epoch milliseconds; `nowMs` is the platform's clock as the gateway knows it.
 */
export const requests = {
  // seckill, hot: a vector of attempts of one lane; the results stand in the same order. Not executed after `deadlineAtMs` of Redis's clock.
  'reserve': {
    to: 'seckill.reserve',
    ask: z.object({ saleId, lane: z.int().min(0), deadlineAtMs: nowMs, attempts: z.array(attemptSchema).min(1).max(256) }),
    answer: z.object({ results: z.array(attemptResultSchema) }),
  },
  /** An operator takes free units out of sale, all or none; the act's id makes it happen once. Words as of an attempt. */
  'hold-take-back': { to: 'seckill.requests', ask: z.object({ saleId, lane: z.int().min(0), rid, itemId: idSchema, quantity: z.int().min(1), deadlineAtMs: nowMs }), answer: z.object({ result: attemptResultSchema }) },
  // seckill
  'get-board': { to: 'seckill.requests', ask: z.object({ saleIds: z.array(saleId).nullable() }), answer: z.object({ atMs: nowMs, lanes: z.array(boardLaneSchema) }) },
  /** How Redis is set up, and its clock; refused while it cannot be asked. */
  'check-redis': { to: 'seckill.requests', ask: z.object({}), answer: answers<Outcome<RedisCheck>>() },
  'find-reservation': { to: 'seckill.requests', ask: z.object({ rid }), answer: answers<{ found: (Reservation & { lane: number; version: number; holds: boolean }) | null; sure: boolean }>() },
  'audit-lane': { to: 'seckill.requests', ask: z.object({ saleId, lane: z.int() }), answer: answers<Outcome<LaneRecord>>() },
  'list-holds': { to: 'seckill.requests', ask: z.object({ saleId, lane: z.int(), cursor: z.string() }), answer: answers<Outcome<{ rows: RedisRow[]; cursor: string | null }>>() },
  /** What Redis has on record of these reservations of a lane, those it does not have left out, and how many units of each item it was told that the lane has. */
  'recall-reservations': { to: 'seckill.requests', ask: z.object({ saleId, lane: z.int().min(0), rids: z.array(rid).max(recallMax) }), answer: answers<Outcome<{ rows: RecalledRow[]; allotments: Allotment[] }>>() },
  /** Publishes again those of them that are overdue; others it passes over. `republished`: those that the broker has confirmed. */
  'republish-reservations': { to: 'seckill.requests', ask: z.object({ saleId, lane: z.int().min(0), rids: z.array(rid).max(recallMax) }), answer: answers<Outcome<{ republished: string[] }>>() },
  /** Marks solved challenges as used; `fresh` in the same order: whether nobody has used it before. Remembered until it expires. */
  'use-challenges': {
    to: 'seckill.requests',
    ask: z.object({ challenges: z.array(z.object({ saleId, id: z.string().regex(/^[0-9a-f]{16,64}$/), expiresMs: z.int().min(1) })).min(1).max(256) }),
    answer: answers<Outcome<{ fresh: boolean[] }>>(),
  },
  // order
  'list-lanes': { to: 'order.requests', ask: z.object({}), answer: z.object({ lanes: z.array(laneLoadSchema.extend({ loadedEpoch: z.int().min(0) })) }) },
  'read-rows': { to: 'order.requests', ask: z.object({ saleId, lane: z.int(), after: z.string().nullable(), limit: z.int().max(2000) }), answer: z.object({ rows: z.array(syncRowSchema), next: z.string().nullable() }) },
  /** What the order service knows of a sale that is to be armed; `copy` null: it has none yet. Also Postgres's clock. */
  'check-stock': {
    to: 'order.requests',
    ask: z.object({ saleId, skuIds: z.array(idSchema).max(5_000) }),
    answer: answers<StockCheck>(),
  },
  'count-unjudged': { to: 'order.requests', ask: z.object({}), answer: z.object({ placeOrderMessages: z.int() }) },
  'get-reservation': { to: 'order.requests', ask: z.object({ rid, accountId }), answer: answers<Outcome<View.ReservationView>>() },
  'list-reservations': { to: 'order.requests', ask: z.object({ accountId, saleId: saleId.nullable(), ...page }), answer: answers<Outcome<View.Page<View.ReservationView>>>() },
  'get-order': { to: 'order.requests', ask: z.object({ rid, accountId }), answer: answers<Outcome<View.OrderView>>() },
  'list-orders': { to: 'order.requests', ask: z.object({ accountId, ...page }), answer: answers<Outcome<View.Page<View.OrderView>>>() },
  'explain-reservation': { to: 'order.requests', ask: z.object({ rid, accountId }), answer: answers<Outcome<View.ExplanationView>>() },
  'start-payment': { to: 'order.requests', ask: z.object({ rid, accountId, key: z.string(), provider: z.string(), returnUrl: z.string().nullable() }), answer: answers<Outcome<{ status: 200 | 201; replayed: boolean; payment: View.PaymentView }>>() },
  /** `reservation`: what Redis knows of it, for an order that does not exist yet. */
  'cancel-order': { to: 'order.requests', ask: z.object({ rid, accountId, key: z.string(), reservation: reservationSchema.extend({ lane: z.int() }).nullable() }), answer: answers<Outcome<{ replayed: boolean; cancelled: { id: string; state: string } }>>() },
  /** `body` is the raw body, base64; headers in lower case. */
  'payment-notice': { to: 'order.requests', ask: z.object({ provider: z.string(), headers: z.record(z.string(), z.string()), body: z.string() }), answer: answers<Outcome<Record<string, unknown>>>() },
  'audit-sale': { to: 'order.requests', ask: z.object({ saleId }), answer: answers<Outcome<View.AuditView>>() },
  /** Where Redis and Postgres differ, and what would mend it; with `fix` what can be is mended, on record with the actor and the reason. UNAVAILABLE: the records cannot be read, nothing was changed. */
  'reconcile-sale': { to: 'order.requests', ask: z.object({ saleId, fix: z.object({ actor, reason: z.string().min(1).max(500) }).nullable() }), answer: answers<Outcome<ReconciliationView>>() },
  /** `cursor` null: makes an export of the sale as it is now; the first page of its files. NOT_FOUND also for an export that is over. */
  'export-sale': { to: 'order.requests', ask: z.object({ saleId, cursor: z.string().nullable() }), answer: answers<Outcome<View.SaleExportView>>() },
  'list-sale-orders': { to: 'order.requests', ask: z.object({ actor, saleId, ...page }), answer: answers<Outcome<View.Page<View.OrderView>>>() },
  'get-sale-report': { to: 'order.requests', ask: z.object({ actor, saleId }), answer: answers<Outcome<View.ReportView>>() },
  'get-inventory': { to: 'order.requests', ask: z.object({ skuId: idSchema }), answer: answers<Outcome<View.InventoryView>>() },
  'set-inventory': { to: 'order.requests', ask: z.object({ actor, skuId: idSchema, units: z.int().min(0) }), answer: answers<Outcome<View.InventoryView>>() },
  /** Begins a comparison of the provider's book with ours; `running` where it takes long, then `get-settlement` says how it stands. `day` is UTC. */
  'compare-settlement': { to: 'order.requests', ask: z.object({ provider: z.string(), day: z.iso.date().nullable() }), answer: answers<Outcome<View.SettlementView>>() },
  'get-settlement': { to: 'order.requests', ask: z.object({ provider: z.string(), id: idSchema, ...page }), answer: answers<Outcome<View.SettlementView>>() },
  /** `delta` above 0 adds units, below 0 takes free ones back. UNAVAILABLE with `outcome: 'unknown'`: it may have been done, and the same key tells. */
  'change-stock': { to: 'order.requests', ask: z.object({ actor, saleId, itemId: idSchema, key: z.string(), delta: z.int(), reason: z.string().min(1), nowMs }), answer: answers<Outcome<{ replayed: boolean; change: View.StockChangeView }>>() },
  'list-dead-letters': { to: 'order.requests', ask: z.object(page), answer: answers<Outcome<View.Page<View.DeadLetterView>>>() },
  'get-dead-letter': { to: 'order.requests', ask: z.object({ id: idSchema }), answer: answers<Outcome<View.DeadLetterView>>() },
  'replay-dead-letter': { to: 'order.requests', ask: z.object({ actor, id: idSchema, dryRun: z.boolean() }), answer: answers<Outcome<{ id: string; dryRun: boolean; outcome: string }>>() },
  'discard-dead-letter': { to: 'order.requests', ask: z.object({ actor, id: idSchema, reason: z.string().min(1) }), answer: answers<Outcome<View.DeadLetterView>>() },
  'list-stuck-sagas': { to: 'order.requests', ask: z.object(page), answer: answers<Outcome<View.Page<View.StuckSagaView>>>() },
  'get-withdrawal': { to: 'order.requests', ask: z.object({ actor, saleId }), answer: answers<Outcome<View.WithdrawalView>>() },
  ...codeRequests,
  ...channelRequests,
  // promotion
  'create-sale': { to: 'promotion.requests', ask: z.object({ actor, input: z.unknown() }), answer: answers<Outcome<View.SaleView>>() },
  'update-sale': { to: 'promotion.requests', ask: z.object({ actor, saleId, patch: z.unknown(), nowMs }), answer: answers<Outcome<View.SaleView>>() },
  'get-sale': { to: 'promotion.requests', ask: z.object({ actor, saleId, nowMs }), answer: answers<Outcome<View.SaleView>>() },
  'list-sales': { to: 'promotion.requests', ask: z.object({ actor, nowMs, ...page }), answer: answers<Outcome<View.Page<View.SaleView>>>() },
  'move-sale': { to: 'promotion.requests', ask: z.object({ actor, saleId, action: z.enum(saleActions), reason: z.string().nullable(), nowMs }), answer: answers<Outcome<View.SaleView>>() },
  'preflight-sale': { to: 'promotion.requests', ask: z.object({ actor, saleId, nowMs }), answer: answers<Outcome<View.PreflightView>>() },
  'get-block': { to: 'promotion.requests', ask: z.object({ accountId }), answer: answers<Outcome<View.BlockView>>() },
  'set-block': { to: 'promotion.requests', ask: z.object({ actor, accountId, reason: z.string().nullable(), untilMs: nowMs.nullable() }), answer: answers<Outcome<View.BlockView>>() },
  'lift-block': { to: 'promotion.requests', ask: z.object({ actor, accountId }), answer: answers<Outcome<null>>() },
  /** Every change of the block list after this version, 0 for all, oldest first. */
  'list-blocks': { to: 'promotion.requests', ask: z.object({ after: z.int().min(0) }), answer: z.object({ entries: z.array(blockSchema), more: z.boolean() }) },
  /** What a gateway refused and somebody should know of; `reportId` makes a repetition harmless. */
  'report-refusals': {
    to: 'promotion.requests',
    ask: z.object({
      reportId: idSchema,
      /** Attempts at admin operations by those who may not. */
      forbidden: z.array(z.object({ accountId: idSchema, operation: z.string().max(64), path: z.string().max(300), count: z.int().min(1), firstMs: nowMs, lastMs: nowMs })).max(200),
      /** Attempts that no honest client makes, per account and sale. */
      abuses: z.array(z.object({ accountId: idSchema, saleId, count: z.int().min(1) })).max(500),
    }),
    answer: z.object({ noted: z.boolean() }),
  },
  /** More accounts into the audience of a draft; those that are in it already count as duplicates, so sending them again is harmless. */
  'add-audience': { to: 'promotion.requests', ask: z.object({ actor, saleId, accounts: z.array(accountId).min(1).max(audienceChunkMax) }), answer: answers<Outcome<{ added: number; duplicates: number }>>() },
  'add-audience-codes': { to: 'promotion.requests', ask: z.object({ actor, saleId, codes: z.array(z.object({ code: z.string().min(1).max(100), uses: z.int().min(1) })).min(1).max(1_000) }), answer: answers<Outcome<{ added: number; duplicates: number }>>() },
  'join-audience': { to: 'promotion.requests', ask: z.object({ accountId, saleId, code: z.string().max(100) }), answer: answers<Outcome<{ saleId: string }>>() },
  /** The audience as it was submitted: hashes (`audienceHash`) in rising order, packed by `packHashes`. */
  'list-audience': { to: 'promotion.requests', ask: z.object({ saleId, after: z.int().min(-1) }), answer: z.object({ hashes: z.string(), next: z.int().nullable() }) },
  /** Who came by a code since `after`, oldest first. */
  'list-guests': { to: 'promotion.requests', ask: z.object({ saleId, after: z.int().min(0) }), answer: z.object({ hashes: z.array(z.int().min(0)), last: z.int().min(0), more: z.boolean() }) },
  'list-audit-log': { to: 'promotion.requests', ask: z.object(page), answer: answers<Outcome<View.Page<View.AuditLogEntryView>>>() },
  'list-published': { to: 'promotion.requests', ask: z.object({ cursor: z.string().nullable() }), answer: z.object({ sales: z.array(saleDocumentSchema), next: z.string().nullable() }) },
  'list-switches': { to: 'promotion.requests', ask: z.object(page), answer: answers<Outcome<View.Page<View.SwitchView>>>() },
  'get-switch': { to: 'promotion.requests', ask: z.object({ name: z.string() }), answer: answers<Outcome<View.SwitchView>>() },
  'set-switch': { to: 'promotion.requests', ask: z.object({ actor, name: z.string(), value: z.unknown() }), answer: answers<Outcome<View.SwitchView>>() },
  /** For the gateways: what is set. */
  'read-switches': { to: 'promotion.requests', ask: z.object({}), answer: switchStateSchema },
} as const satisfies Record<string, { to: RequestQueueName; ask: z.ZodType; answer: z.ZodType }>;

export type RequestName = keyof typeof requests;
export type Ask<N extends RequestName> = z.infer<(typeof requests)[N]['ask']>;
export type Answer<N extends RequestName> = z.infer<(typeof requests)[N]['answer']>;

/** What stands behind a sale in Postgres. */
export interface StockCheck {
  nowMs: number;
  copy: { perAccount: number | null; perIp: number | null; items: { itemId: string; allotment: number; free: number; perAccount: number | null }[] } | null;
  /** SKUs that the order service knows, and the units that no order has taken. */
  inventory: { skuId: string; free: number }[];
  /** Codes per item that were imported and are not burned. */
  codes: { itemId: string; codes: number }[];
}

export interface RedisCheck {
  nowMs: number;
  role: string;
  loading: boolean;
  maxmemoryPolicy: string;
  aofEnabled: boolean;
}

/** What Redis says of one lane, for the audit. */
export interface LaneRecord {
  epoch: number;
  selling: boolean;
  stock: { itemId: string; available: number; unsettled: number }[];
  /** Reservations whose message is not known to be confirmed yet. */
  relayLength: number;
  reservations: number;
}

/** One reservation as Redis has it; `version` 0: Postgres has not spoken of it. */
export interface RedisRow extends Reservation {
  version: number;
  holds: boolean;
  settled: boolean;
}

/** `overdue`: Postgres has not spoken of it for so long that its message is taken for lost. */
export interface RecalledRow extends RedisRow {
  overdue: boolean;
}

export type { BoardLane, LaneLoad, SaleDocument, SyncRow };
