import type { AuditView } from '@floodgate/contracts';
import type { BookedPayment } from './payment-book.js';
import type { ItemRecord, PostgresRecords } from './postgres-records.store.js';
import type { RedisLane } from './redis-records.client.js';

/** All records of one sale. `unreachable` records make the verdict `unknown`, whatever the others say. */
export interface Records {
  postgres: PostgresRecords;
  redis: RedisLane[] | 'unreachable';
  book: BookedPayment[] | 'unreachable';
  /** Messages of place-order and sync-stock under way, retries included; `unreachable`: the broker cannot be asked. */
  messages: number | 'unreachable';
  /** Reservations whose message was not known to be confirmed, when the reading began. */
  relay: number;
}

/** The ways in which Redis and Postgres can differ. */
export const driftKinds = ['in-two-lanes', 'no-order', 'held-in-redis', 'held-in-postgres', 'not-in-redis', 'available'] as const;
export type DriftKind = (typeof driftKinds)[number];
export interface Drift {
  kind: DriftKind;
  /** Null where Redis has it nowhere. */
  lane: number | null;
  /** A reservation's id; of `available` an item's. */
  subject: string;
  /** Where, and how, in words. */
  text: string;
}

/** What the records say together. */
export interface Comparison {
  oversold: number;
  lost: number;
  duplicated: number;
  unexplained: number;
  /** Where Redis and Postgres differ. They are read one after the other: only what stays is true. */
  differences: Drift[];
  faults: string[];
  settling: number;
  /** What is under way or could not be read, in words. */
  open: string[];
  items: AuditView['items'];
}

export function compare(records: Records): Comparison {
  const { postgres } = records;
  const faults = [...postgres.items.flatMap(itemFaults), ...postgres.faults, ...postgres.contradictions.map((c) => `${c.rid} ${c.itemId}: ${c.what}`)];
  const kinds = (kind: string) => new Set(postgres.contradictions.filter((c) => c.kind === kind).map((c) => c.rid));
  const duplicated = kinds('duplicated');
  const unexplained = kinds('unexplained');
  const lost = new Set<string>();
  const differences: Drift[] = [];
  if (records.redis !== 'unreachable') compareRedis(postgres, records.redis, { lost, duplicated, differences });
  if (records.book !== 'unreachable') faults.push(...compareBook(postgres, records.book, unexplained));
  return {
    oversold: postgres.items.reduce((sum, item) => sum + oversoldUnits(item), 0),
    lost: lost.size, duplicated: duplicated.size, unexplained: unexplained.size, differences, faults, ...settlingOf(records),
    items: postgres.items.map((item) => ({
      itemId: item.itemId, quota: item.quota, available: item.allotment - item.held - item.sold - item.burned, held: item.held, sold: item.sold,
      burned: item.burned, redisAvailable: redisAvailable(records.redis, item.itemId),
    })),
  };
}

/** Units promised beyond the quota, by whichever record promises most. */
function oversoldUnits(item: ItemRecord): number {
  const promised = Math.max(item.held + item.sold + item.burned, item.ledger.held + item.ledger.sold + item.ledger.burned, item.orders.held + item.orders.sold);
  return Math.max(0, promised - item.quota);
}

/** Where Postgres's own counters, ledger and orders of an item tell different stories. */
export function itemFaults(item: ItemRecord): string[] {
  const faults: string[] = [];
  const beyond = oversoldUnits(item);
  if (beyond > 0) faults.push(`${item.itemId}: ${beyond} units promised beyond the quota of ${item.quota}`);
  if (item.allotment !== item.quota) faults.push(`${item.itemId}: the lanes have ${item.allotment} units, the quota is ${item.quota}`);
  for (const counter of ['allotment', 'held', 'sold', 'burned'] as const) {
    if (item[counter] !== item.ledger[counter]) faults.push(`${item.itemId}: ${counter} is ${item[counter]}, the ledger adds up to ${item.ledger[counter]}`);
  }
  for (const counter of ['held', 'sold'] as const) {
    if (item[counter] !== item.orders[counter]) faults.push(`${item.itemId}: ${counter} is ${item[counter]}, the orders add up to ${item.orders[counter]}`);
  }
  return faults;
}

function compareRedis(postgres: PostgresRecords, lanes: RedisLane[], found: { lost: Set<string>; duplicated: Set<string>; differences: Drift[] }): void {
  const differs = (kind: DriftKind, lane: number | null, subject: string, text: string): void => void found.differences.push({ kind, lane, subject, text });
  const seen = new Set<string>();
  const holding = new Set<string>();
  for (const { lane, holds } of lanes) {
    for (const [rid, holdsUnits] of holds) {
      if (seen.has(rid)) {
        found.duplicated.add(rid);
        differs('in-two-lanes', lane, rid, `${rid} is in two lanes`);
      }
      seen.add(rid);
      if (holdsUnits) holding.add(rid);
      const ordered = postgres.holds.get(rid);
      if (ordered === undefined && holdsUnits) {
        found.lost.add(rid);
        differs('no-order', lane, rid, `${rid} is reserved and has no order`);
      } else if (ordered !== undefined && ordered !== holdsUnits) {
        differs(holdsUnits ? 'held-in-redis' : 'held-in-postgres', lane, rid, `${rid} ${holdsUnits ? 'holds units in Redis, its order does not' : 'holds no units in Redis, its order does'}`);
      }
    }
  }
  for (const [rid, holdsUnits] of postgres.holds) if (holdsUnits && !seen.has(rid)) differs('not-in-redis', null, rid, `${rid} has an order and is not in Redis`);
  for (const { lane, itemId, free } of postgres.free) {
    const available = lanes.find((other) => other.lane === lane)?.record.stock.find((item) => item.itemId === itemId)?.available;
    if (available !== free) differs('available', lane, itemId, `${itemId} in lane ${lane}: ${available ?? 'nothing'} available in Redis, ${free} free in Postgres`);
  }
}

/** Money: what a paid order stands on, and what the provider took without one. */
function compareBook(postgres: PostgresRecords, book: BookedPayment[], unexplained: Set<string>): string[] {
  const faults: string[] = [];
  const report = (rid: string, fault: string) => {
    unexplained.add(rid);
    faults.push(`${rid}: ${fault}`);
  };
  const byId = new Map(book.map((payment) => [payment.paymentId, payment]));
  const standing = new Set<string>();
  for (const order of postgres.paid) {
    const payment = order.paymentId === null ? undefined : byId.get(order.paymentId);
    if (order.paymentId !== null) standing.add(order.paymentId);
    if (!payment) report(order.rid, `paid, and the provider's book does not have its payment`);
    else if (payment.captured !== order.amount || payment.orderId !== order.openedFor) report(order.rid, `paid ${order.amount}, the provider captured ${payment.captured}`);
    // While it is being refunded, the refund may have gone through on one side only.
    else if (order.state !== 'REFUNDING' && payment.refunded > 0) report(order.rid, 'paid, and the provider has refunded it');
  }
  for (const payment of book) {
    // What is being given back, or buys its units again, is counted as settling.
    if (!standing.has(payment.paymentId) && !postgres.underWay.has(payment.paymentId) && payment.captured > payment.refunded) {
      report(payment.orderId, `the provider captured ${payment.captured} and refunded ${payment.refunded}, no order stands for it`);
    }
  }
  return faults;
}

function settlingOf(records: Records): { settling: number; open: string[] } {
  const { outbox, closing, refunding, refunds, reacquiring, codes, stuck } = records.postgres.settling;
  const relay = records.relay + (records.redis === 'unreachable' ? 0 : records.redis.reduce((sum, lane) => sum + lane.record.relayLength, 0));
  const counts: [number, string][] = [
    [relay, 'reservations in the relay'], [records.messages === 'unreachable' ? 0 : records.messages, 'messages under way'], [outbox, 'messages in the outbox'],
    [closing, 'orders being closed'], [refunding, 'orders being refunded'], [refunds, 'refunds waiting'], [codes, 'orders waiting for codes'],
    [reacquiring, 'late payments waiting for their units'],
  ];
  const open = counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  if (records.redis === 'unreachable') open.push('Redis could not be read');
  if (records.book === 'unreachable') open.push(`the payment provider's book could not be read`);
  if (records.messages === 'unreachable') open.push('the queues could not be counted');
  // A parked order has its units and will have its fate; it is no message under way, but somebody should look.
  if (stuck > 0) open.push(`${stuck} orders parked by dead letters`);
  return { settling: counts.reduce((sum, [count]) => sum + count, 0), open };
}

function redisAvailable(lanes: RedisLane[] | 'unreachable', itemId: string): number {
  if (lanes === 'unreachable') return 0;
  return lanes.reduce((sum, { record }) => sum + (record.stock.find((item) => item.itemId === itemId)?.available ?? 0), 0);
}
