import { type MessageName, type OrderNotice, type SyncRow } from '@floodgate/contracts';
import { Outbox, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { countOrders } from './order.metrics.js';
import type { OrderRow } from './order.row.js';
import { holdsUnits, isBurned, isSettled, publicState, type OrderState } from './order.transitions.js';

/** Rows of one message: a batch of the arbiter leaves in a few, and none comes near the broker's frame size. */
const rowsMax = 256;

const events = { PENDING: 'order.created', PAID: 'order.paid', FULFILLED: 'order.fulfilled', CLOSED: 'order.closed' } as const satisfies Partial<Record<OrderState, MessageName>>;

/** Says what happened to orders, through the outbox of the transaction that did it, from the rows as they were written. */
@Injectable()
export class OrderAnnouncer {
  constructor(private readonly outbox: Outbox) {}

  /** Tells Redis, by version, whether these orders hold units and whether that is final. */
  async sync(tx: Transaction, orders: readonly OrderRow[]): Promise<void> {
    const lanes = groupBy(orders, (order) => `${order.saleId}/${order.lane}`);
    const bodies = [...lanes.values()].flatMap((group) =>
      chunks(group).map((chunk) => ({ saleId: chunk[0]!.saleId, lane: chunk[0]!.lane, rows: chunk.map(syncRow) })));
    if (bodies.length > 0) await this.outbox.add(tx, 'sync-stock', bodies);
  }

  /** Tells everybody who listens: order.created, order.paid, order.fulfilled or order.closed, by the orders' state. Other states are nobody's business. */
  async tell(tx: Transaction, orders: readonly OrderRow[]): Promise<void> {
    const told = orders.filter(({ state }) => Object.hasOwn(events, state));
    if (told.length > 0) tx.afterCommit(() => countOrders(told));
    for (const [state, event] of Object.entries(events) as [keyof typeof events, (typeof events)[keyof typeof events]][]) {
      const sales = groupBy(orders.filter((order) => order.state === state), (order) => order.saleId);
      const bodies = [...sales.values()].flatMap((group) => chunks(group).map((chunk) => ({ saleId: chunk[0]!.saleId, orders: chunk.map(notice) })));
      if (bodies.length > 0) await this.outbox.add(tx, event, bodies);
    }
  }

  /** Tells a buyer that a released order was bought again as another one. */
  async replaced(tx: Transaction, order: OrderRow, newRid: string): Promise<void> {
    await this.outbox.add(tx, 'order.replaced', [{ saleId: order.saleId, orders: [{ ...notice(order), replacedBy: newRid }] }]);
  }

  /** Tells buyers that money is given back which these orders of one sale could not take. */
  async returned(tx: Transaction, saleId: string, orders: readonly OrderRow[]): Promise<void> {
    const bodies = chunks(orders).map((chunk) => ({ saleId, orders: chunk.map(notice) }));
    if (bodies.length > 0) await this.outbox.add(tx, 'payment.returned', bodies);
  }
}

/** The order as Redis must have it. */
export function syncRow(order: OrderRow): SyncRow {
  return {
    rid: order.rid, accountId: order.accountId, ipHash: order.ipHash, items: order.items, number: order.number,
    reservedAtMs: order.reservedAt.getTime(), version: order.version, holds: holdsUnits(order.state) || isBurned(order), settled: isSettled(order.state),
  };
}

function notice(order: OrderRow): OrderNotice {
  return {
    rid: order.rid, accountId: order.accountId, version: order.version, state: publicState(order.state, order.payBy),
    reason: order.state === 'CLOSED' ? order.reason : null, amount: order.amount, currency: order.currency,
    payByMs: order.payBy?.getTime() ?? null, updatedAtMs: order.updatedAt.getTime(), items: order.items, number: order.number,
  };
}

function chunks<T>(rows: readonly T[]): T[][] {
  const result: T[][] = [];
  for (let at = 0; at < rows.length; at += rowsMax) result.push(rows.slice(at, at + rowsMax));
  return result;
}

function groupBy<T>(rows: readonly T[], keyOf: (row: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group) group.push(row);
    else groups.set(keyOf(row), [row]);
  }
  return groups;
}
