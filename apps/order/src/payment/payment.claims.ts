import { randomBytes } from 'node:crypto';
import { refuse, saleOfReservation, type Ask, type Refusal } from '@floodgate/contracts';
import { Batcher, Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { IdempotencyKeyStore, type Binding, type BoundAnswer, type KeyScope } from '../idempotency/idempotency-key.store.js';
import type { OrderRow } from '../order/order.row.js';
import { OrderStore } from '../order/order.store.js';
import { publicState } from '../order/order.transitions.js';
import { PaymentStore, type PaymentRow } from './payment.store.js';

/** What a start finds before the provider is asked: an answer given before, a refusal, or the order's live payment. */
export type Claim = { kind: 'bound'; bound: BoundAnswer } | { kind: 'refused'; refusal: Refusal } | { kind: 'payment'; payment: PaymentRow };

/** An opened payment and the answer to be bound to its start. */
export interface Opened {
  scope: KeyScope;
  payment: PaymentRow;
  redirectUrl: string;
  /** Of the payment newly opened (201), or there already (200). */
  answer(status: 200 | 201): BoundAnswer;
}

const togetherMax = 64;

/** The two transactions of starting a payment, before and after the provider is asked; starts that come together share them. */
@Injectable()
export class PaymentClaims {
  private readonly claims = new Batcher<Ask<'start-payment'>, Claim>((asks) => this.claimAll(asks), { sizeMax: togetherMax, batchesInFlightMax: 2 });
  private readonly bindings = new Batcher<Opened, Binding | null>((opened) => this.bindAll(opened), { sizeMax: togetherMax, batchesInFlightMax: 2 });

  constructor(
    private readonly database: Database,
    private readonly orders: OrderStore,
    private readonly payments: PaymentStore,
    private readonly keys: IdempotencyKeyStore,
  ) {}

  claim(ask: Ask<'start-payment'>): Promise<Claim> {
    return this.claims.ask(ask);
  }

  /** Notes that the provider has opened the payment, and binds the answer. Null: the payment was closed meanwhile, nothing was bound. */
  bind(opened: Opened): Promise<Binding | null> {
    return this.bindings.ask(opened);
  }

  private async claimAll(asks: Ask<'start-payment'>[]): Promise<Claim[]> {
    return this.database.transaction(async (tx) => {
      const bound = await this.keys.findAll(tx, asks.map(scopeOf));
      const open = asks.filter((_, index) => bound[index] === null);
      // The row locks make a start and a close of the same order come one after the other, so that no payment begins behind a close.
      const orders = await this.lock(tx, open.map((ask) => ask.rid));
      const payable = [...orders.values()].filter((order) => order.state === 'PENDING' && order.payBy !== null);
      const live = new Map((await this.payments.liveOf(tx, payable)).map((payment) => [payment.rid, payment]));
      const fresh = new Map<string, PaymentRow>();
      for (const ask of open) {
        const order = orders.get(ask.rid);
        if (order?.accountId === ask.accountId && payable.includes(order) && !live.has(ask.rid) && !fresh.has(ask.rid)) fresh.set(ask.rid, newPayment(ask, order));
      }
      const written = await this.payments.insert(tx, [...fresh.values()]);
      for (const payment of fresh.values()) if (written.has(payment.paymentId)) live.set(payment.rid, payment);
      return asks.map((ask, index) => claimOf(ask, bound[index] ?? null, orders.get(ask.rid), live.get(ask.rid)));
    });
  }

  private async lock(tx: Transaction, rids: readonly string[]): Promise<Map<string, OrderRow>> {
    const sales = Map.groupBy(new Set(rids), saleOfReservation);
    const found = new Map<string, OrderRow>();
    for (const saleId of [...sales.keys()].filter((id) => id !== null).sort()) {
      for (const order of await this.orders.lockAll(tx, saleId, sales.get(saleId) ?? [])) found.set(order.rid, order);
    }
    return found;
  }

  private async bindAll(opened: Opened[]): Promise<(Binding | null)[]> {
    return this.database.transaction(async (tx) => {
      const starting = new Map(opened.filter(({ payment }) => payment.state === 'STARTING').map((one) => [one.payment.paymentId, one.redirectUrl]));
      // By id, so that two transactions that open the same payments wait for each other instead of dying together.
      const ids = [...starting.keys()].sort();
      const mine = await this.payments.opened(tx, ids.map((paymentId) => ({ paymentId, redirectUrl: starting.get(paymentId)! })));
      const others = await this.payments.areOpen(tx, ids.filter((paymentId) => !mine.has(paymentId)));
      const stands = opened.filter(({ payment }) => payment.state !== 'STARTING' || mine.has(payment.paymentId) || others.has(payment.paymentId));
      // 201 is for whoever opened it first, once; a payment that was only written down by a start that failed counts as new.
      const wanted = stands.map((one) => ({ one, scope: one.scope, answer: one.answer(mine.delete(one.payment.paymentId) ? 201 : 200) }));
      const bindings = wanted.length === 0 ? [] : await this.keys.bindAll(tx, wanted);
      const byOpened = new Map(wanted.map(({ one }, index) => [one, bindings[index]]));
      return opened.map((one) => byOpened.get(one) ?? null);
    });
  }
}

export const scopeOf = (ask: Ask<'start-payment'>): KeyScope => ({ accountId: ask.accountId, route: 'start-payment', subject: ask.rid, key: ask.key });

function claimOf(ask: Ask<'start-payment'>, bound: BoundAnswer | null, order: OrderRow | undefined, payment: PaymentRow | undefined): Claim {
  if (bound) return { kind: 'bound', bound };
  if (!order || order.accountId !== ask.accountId) return { kind: 'refused', refusal: refuse('NOT_FOUND', 'no such order') };
  if (payment) return { kind: 'payment', payment };
  const detail = order.state === 'PENDING' ? 'the time to pay is over' : 'this order cannot be paid (any more)';
  return { kind: 'refused', refusal: refuse('INVALID_TRANSITION', detail, { state: publicState(order.state, order.payBy) }) };
}

const newPayment = (ask: Ask<'start-payment'>, order: OrderRow): PaymentRow => ({
  paymentId: `pay-${randomBytes(16).toString('base64url')}`, saleId: order.saleId, rid: order.rid, provider: ask.provider, amount: order.amount, currency: order.currency,
  state: 'STARTING', redirectUrl: null, returnUrl: ask.returnUrl, expiresAt: order.payBy ?? order.createdAt, pays: false, openedFor: null,
});
