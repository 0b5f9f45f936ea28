import { accept, refuse, saleOfReservation, type Ask, type Outcome, type ReleaseReason } from '@floodgate/contracts';
import { crashPoint, Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { IdempotencyKeyStore, type KeyScope } from '../idempotency/idempotency-key.store.js';
import type { OrderRow } from '../order/order.row.js';
import { OrderStore } from '../order/order.store.js';
import { publicState } from '../order/order.transitions.js';
import { PurchaseSaga } from '../place-order/purchase.saga.js';
import { OrderCloser } from '../sweeper/order.closer.js';

export type Cancelled = { replayed: boolean; cancelled: { id: string; state: string } };

const reason: ReleaseReason = 'cancelled-by-buyer';
/** Each round finds the order one step further; more rounds than steps mean that something pulls it back, which is a bug. */
const roundsMax = 8;

/** A buyer gives an unpaid order back: before it exists, while it waits for payment, or while it is parked. */
@Injectable()
export class CancelOrder {
  constructor(
    private readonly database: Database,
    private readonly orders: OrderStore,
    private readonly keys: IdempotencyKeyStore,
    private readonly saga: PurchaseSaga,
    private readonly closer: OrderCloser,
  ) {}

  /**
   * Accepted once the units are given back. Refusals: NOT_FOUND, INVALID_TRANSITION (paid, or released otherwise), and UNAVAILABLE where
   * the provider did not say whether it was paid: then the sweeper finishes it, and asking again tells.
   */
  async cancel(ask: Ask<'cancel-order'>): Promise<Outcome<Cancelled>> {
    const scope: KeyScope = { accountId: ask.accountId, route: 'cancel-order', subject: ask.rid, key: ask.key };
    const bound = await this.keys.find(scope);
    if (bound) return accept({ replayed: true, cancelled: bound.body as Cancelled['cancelled'] });
    for (let round = 0; round < roundsMax; round++) {
      const order = await this.orders.find(ask.rid, ask.accountId);
      if (order?.state === 'CLOSED' && order.reason === reason) return this.bind(scope);
      const refusal = order ? await this.stepOut(order) : await this.bury(ask);
      if (refusal) return refusal;
    }
    throw new Error(`order ${ask.rid} does not come to an end`);
  }

  /** One step towards the end, or why there is none. */
  private async stepOut(order: OrderRow): Promise<Outcome<never> | null> {
    const { saleId, rid } = order;
    switch (order.state) {
      case 'PENDING':
        await this.commit((tx) => this.orders.startClosing(tx, saleId, [rid], reason));
        return null;
      case 'CLOSING': {
        const result = (await this.closer.finish([{ saleId, rid, reason: order.reason ?? reason }])).get(rid);
        // A capture that was judged meanwhile has decided it: the next step says so.
        if (result?.word !== 'unknown' || (await this.orders.find(rid))?.state !== 'CLOSING') return null;
        return refuse('UNAVAILABLE', 'the payment provider does not say whether this order was paid');
      }
      case 'STUCK':
        await this.commit((tx) => this.saga.closeOrders(tx, saleId, [rid], reason));
        return null;
      case 'PAID':
      case 'FULFILLED':
      case 'REFUNDING':
      case 'CLOSED':
        return refuse('INVALID_TRANSITION', 'this order can no longer be cancelled', { state: publicState(order.state, order.payBy) });
      default:
        return order.state satisfies never;
    }
  }

  /** Not there yet: a terminal row decides its fate before its message arrives. What Redis does not know for this account either is not found. */
  private async bury({ rid, accountId, reservation }: Ask<'cancel-order'>): Promise<Outcome<never> | null> {
    const saleId = saleOfReservation(rid);
    if (saleId === null || reservation?.rid !== rid || reservation.accountId !== accountId) return refuse('NOT_FOUND', 'no such order');
    const { lane, ...reserved } = reservation;
    await this.commit((tx) => this.saga.tombstone(tx, saleId, lane, reserved, reason));
    return null;
  }

  private async commit<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const result = await this.database.transaction(async (tx) => {
      const done = await work(tx);
      crashPoint('cancel.before-commit');
      return done;
    });
    crashPoint('cancel.after-commit');
    return result;
  }

  private async bind(scope: KeyScope): Promise<Outcome<Cancelled>> {
    const cancelled = { id: scope.subject, state: 'RELEASED' };
    const { first } = await this.commit((tx) => this.keys.bind(tx, scope, { fingerprint: '', status: 202, body: cancelled }));
    return accept({ replayed: !first, cancelled });
  }
}
