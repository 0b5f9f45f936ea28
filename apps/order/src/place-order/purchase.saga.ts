import type { ReleaseReason, Reservation } from '@floodgate/contracts';
import type { Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { lockStock } from '../ledger/lane-stock.js';
import type { OrderRow } from '../order/order.row.js';
import { OrderStore } from '../order/order.store.js';
import { SaleMissingError, SaleStore } from '../sale/sale.store.js';
import { SagaRunner } from '../saga/saga.runner.js';
import type { Step } from '../saga/saga.js';
import { Arbiter } from './arbiter.js';
import { PurchaseSteps } from './purchase.steps.js';
import { purchaseOf, type Purchase, type PurchaseWork } from './purchase.js';

/** An order in one of these stands at `await payment`; REFUNDING does again, once the money is back. */
const closable = ['PENDING', 'CLOSING', 'STUCK', 'REFUNDING'] as const satisfies readonly OrderRow['state'][];

@Injectable()
export class PurchaseSaga {
  readonly steps: readonly Step<Purchase, PurchaseWork, ReleaseReason>[];
  private readonly runner: SagaRunner<Purchase, PurchaseWork, ReleaseReason>;
  private readonly arbiter: Arbiter;

  constructor(private readonly does: PurchaseSteps, private readonly orders: OrderStore, private readonly sales: SaleStore) {
    const { stock, inventory, rows, payments, codes } = does;
    this.steps = [
      { name: 'hold stock',     run: (w, p) => stock.hold(w, p),     undo: (w, p, why) => stock.release(w, p, why) }, // reaches Redis as a versioned sync
      { name: 'take inventory', run: (w, p) => inventory.take(w, p), undo: (w, p, why) => inventory.putBack(w, p, why) },
      { name: 'create order',   run: (w, p) => rows.create(w, p),    undo: (w, p, why) => rows.close(w, p, why) },
      { name: 'await payment',  until: 'payment.captured',           undo: (w, p, why) => payments.closePayments(w.tx, ordersOf(p), why) },
      { name: 'mark paid',      run: (w, p) => does.markPaid(w, p)   }, // point of no return
      { name: 'issue codes',    run: (w, p) => codes.claim(w, p)     }, // claimed here, issued by codes/code-issuer.ts
      { name: 'tell buyer',     run: (w, p) => rows.tell(w, p)       },
    ];
    this.runner = new SagaRunner(this.steps);
    this.arbiter = new Arbiter(this.runner, orders, rows);
  }

  /**
   * Judges reservations of one lane and writes a row for each that has none: PENDING, or CLOSED with its reason. Throws, having written
   * nothing, where the sale's copy has not arrived, and where one of them cannot be processed (an item that the sale does not have).
   * Returns the rows written.
   */
  async place(tx: Transaction, saleId: string, lane: number, reservations: readonly Reservation[]): Promise<OrderRow[]> {
    return this.arbiter.place(await this.openLane(tx, saleId, lane, reservations), lane, reservations);
  }

  /**
   * Closes orders for good and gives their units back: PENDING, CLOSING, STUCK or REFUNDING → CLOSED. Takes every lock itself, in the one order,
   * so call it before locking any order row in this transaction. Writes ledger, inventory, sync-stock and order.closed. A reason that
   * a CLOSING or REFUNDING row carries already wins. Returns the orders this call closed; others are left as they are.
   */
  async closeOrders(tx: Transaction, saleId: string, rids: readonly string[], reason: ReleaseReason): Promise<OrderRow[]> {
    const candidates = (await this.orders.read(tx, saleId, rids)).filter(isClosable);
    if (candidates.length === 0) return [];
    const work = await this.open(tx, saleId, candidates);
    await this.does.inventory.lock(work, candidates);
    const locked = (await this.orders.lockAll(tx, saleId, candidates.map((order) => order.rid))).filter(isClosable);
    const purchases = locked.map(purchaseOf);
    await this.does.codes.giveBack(work, purchases.filter(({ order }) => order.state === 'REFUNDING'));
    for (const [why, group] of Map.groupBy(purchases, ({ order }) => order.reason ?? reason)) {
      await this.runner.undoFrom('await payment', work, group, why);
    }
    return ordersOf(purchases);
  }

  /** PENDING or CLOSING → PAID, the point of no return; SELL, sync-stock, order.paid. Null where the order is in another state. */
  async markPaid(tx: Transaction, saleId: string, rid: string): Promise<OrderRow | null> {
    return (await this.markAllPaid(tx, saleId, [rid]))[0] ?? null;
  }

  /** As {@link markPaid}, for many orders of one sale together. Returns those that were paid by this call; others are left as they are. */
  async markAllPaid(tx: Transaction, saleId: string, rids: readonly string[]): Promise<OrderRow[]> {
    const candidates = (await this.orders.read(tx, saleId, rids)).filter(isPayable);
    if (candidates.length === 0) return [];
    const work = await this.open(tx, saleId, candidates);
    const purchases = (await this.orders.lockAll(tx, saleId, candidates.map((order) => order.rid))).filter(isPayable).map(purchaseOf);
    if (purchases.length > 0) await this.runner.happened('payment.captured', work, purchases);
    return ordersOf(purchases);
  }

  /**
   * A terminal row for a reservation that has none: a message that comes later finds its fate decided. `existed`: there was a row already
   * (then nothing was written, and the caller closes that one). Emits sync-stock (holds nothing) and order.closed.
   * Throws SaleMissingError for a sale that is not known.
   */
  async tombstone(tx: Transaction, saleId: string, lane: number, reservation: Reservation, reason: ReleaseReason): Promise<'written' | 'existed'> {
    const work = await this.openLane(tx, saleId, lane, [reservation]);
    const written = await this.arbiter.bury(work, lane, [reservation], reason);
    return written.length > 0 ? 'written' : 'existed';
  }

  /**
   * For dead letters: a STUCK row that holds units where they are still free, for each reservation that has no row. What cannot be held
   * becomes a tombstone (`order-rejected`). A replayed place-order takes a STUCK row to PENDING.
   */
  async park(tx: Transaction, saleId: string, lane: number, reservations: readonly Reservation[]): Promise<{ parked: string[]; rejected: string[] }> {
    const rows = await this.arbiter.park(await this.openLane(tx, saleId, lane, reservations), lane, reservations);
    const [parked, rejected] = ['STUCK', 'CLOSED'].map((state) => rows.filter((row) => row.state === state).map((row) => row.rid));
    return { parked: parked!, rejected: rejected! };
  }

  private async openLane(tx: Transaction, saleId: string, lane: number, reservations: readonly Reservation[]): Promise<PurchaseWork> {
    return this.open(tx, saleId, reservations.map((reservation) => ({ lane, items: reservation.items })));
  }

  /** Takes the locks of the lanes and items concerned. Throws SaleMissingError where the sale's copy has not arrived. */
  private async open(tx: Transaction, saleId: string, concerned: readonly Pick<OrderRow, 'lane' | 'items'>[]): Promise<PurchaseWork> {
    const wanted = new Map<number, Set<string>>();
    for (const { lane, items } of concerned) {
      const itemIds = wanted.get(lane) ?? new Set();
      for (const item of items) itemIds.add(item.itemId);
      wanted.set(lane, itemIds);
    }
    const stock = await lockStock(tx, saleId, wanted);
    const sale = await this.sales.read(tx, saleId);
    if (!sale) throw new SaleMissingError(saleId);
    return { tx, sale, stock, nowMs: sale.readAtMs };
  }
}

const isPayable = (order: OrderRow): boolean => order.state === 'PENDING' || order.state === 'CLOSING';
const isClosable = (order: OrderRow): boolean => (closable as readonly string[]).includes(order.state);
const ordersOf = (purchases: readonly Purchase[]): OrderRow[] => purchases.map((purchase) => purchase.order);
