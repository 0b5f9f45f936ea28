import { crashPoint, Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { lockStock } from '../ledger/lane-stock.js';
import { PaymentEventStore, type Told } from './payment-event.store.js';
import { PaymentEffects, type Decision } from './payment.effects.js';
import { eventOfType, nextPaymentState, paymentRace, raceStateOf, type JudgedBefore, type OrderEvent, type PaymentEvent, type RaceAction } from './payment-race.js';
import { PaymentStore, type KnownPayment, type PaymentMove, type PaymentStanding } from './payment.store.js';
import { RefundStore } from './refund.store.js';

/** What a notice came to: what it was found to be before its order was looked at, else what the race table says. */
export type NoticeOutcome = JudgedBefore | RaceAction;

export interface ToldOfPayment extends Told {
  payment: KnownPayment;
}

/** Judges notices of one lane: the events, the payments, the orders and their stock move in one transaction. */
@Injectable()
export class LaneJudge {
  constructor(
    private readonly database: Database,
    private readonly payments: PaymentStore,
    private readonly events: PaymentEventStore,
    private readonly refunds: RefundStore,
    private readonly effects: PaymentEffects,
  ) {}

  /** The outcomes in the order of the notices, after the commit; nothing is changed where it throws. */
  async judge(saleId: string, lane: number, told: readonly ToldOfPayment[]): Promise<NoticeOutcome[]> {
    const judged = await this.database.transaction(async (tx) => {
      // The lane's lock first, as everywhere. It also makes the notices of one order come one after the other.
      await lockStock(tx, saleId, new Map([[lane, []]]));
      const outcomes = new Map<ToldOfPayment, NoticeOutcome>();
      const { fresh, altered } = await this.events.receive(tx, told);
      for (const round of rounds(fresh)) await this.judgeRound(tx, saleId, round, outcomes);
      await this.events.noteOutcomes(tx, outcomes);
      crashPoint('notice.before-commit');
      return told.map((one) => outcomes.get(one) ?? (altered.includes(one) ? 'altered' : 'repeated'));
    });
    crashPoint('notice.after-commit');
    return judged;
  }

  /** One notice per order at most, so that none changes what another of the round was judged by. */
  private async judgeRound(tx: Transaction, saleId: string, round: readonly ToldOfPayment[], outcomes: Map<ToldOfPayment, NoticeOutcome>): Promise<void> {
    const standings = await this.payments.standings(tx, round.map(({ payment }) => payment.paymentId));
    const moves: PaymentMove[] = [];
    const decisions: Decision[] = [];
    const refunded: string[] = [];
    for (const told of round) {
      const { payment, notice } = told;
      const { paymentId } = payment;
      const standing = standings.get(paymentId);
      if (!standing) throw new Error(`payment ${paymentId} has no order`);
      const event = eventFor(payment, told);
      const next = typeof event === 'object' ? nextPaymentState(standing.state, event.known) : null;
      if (typeof event !== 'object' || next === null) {
        outcomes.set(told, typeof event === 'object' ? 'old-news' : event);
        continue;
      }
      const action = paymentRace[raceStateOf(standing.orderState, standing.orderReason)][orderEvent(event.known, standing)];
      outcomes.set(told, action);
      // An authorisation moves nothing; writing it down again could undo what a start writes meanwhile.
      if (next !== standing.state) moves.push({ paymentId, from: standing.state, to: next, pays: standing.pays || action === 'mark-paid' });
      if (notice.type === 'payment.refunded') refunded.push(paymentId);
      decisions.push({ action, payment, standing });
    }
    await this.payments.move(tx, moves);
    await this.refunds.done(tx, refunded);
    await this.effects.apply(tx, saleId, decisions);
  }
}

/** What the notice says of this payment, or why it says nothing. */
function eventFor(payment: KnownPayment, { notice }: Told): { known: PaymentEvent } | Extract<JudgedBefore, 'unknown-type' | 'unknown-order' | 'wrong-amount'> {
  const known = eventOfType(notice.type);
  if (known === null) return 'unknown-type';
  if (notice.orderId !== (payment.openedFor ?? payment.rid)) return 'unknown-order';
  return notice.amount.amount === payment.amount && notice.amount.currency === payment.currency ? { known } : 'wrong-amount';
}

const orderEvent = (event: PaymentEvent, standing: PaymentStanding): OrderEvent => (event === 'refunded' && !standing.pays ? 'extra-refunded' : event);

/** In their order, but so that no order comes twice in a round. */
function rounds(told: readonly ToldOfPayment[]): ToldOfPayment[][] {
  const result: ToldOfPayment[][] = [];
  const seen = new Map<string, number>();
  for (const one of told) {
    const round = seen.get(one.payment.rid) ?? 0;
    seen.set(one.payment.rid, round + 1);
    (result[round] ??= []).push(one);
  }
  return result;
}
