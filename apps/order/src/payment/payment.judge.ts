import { Batcher, createLogger, Database } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { LaneJudge, type NoticeOutcome, type ToldOfPayment } from './lane.judge.js';
import { PaymentEventStore } from './payment-event.store.js';
import type { ProviderNotice, ProviderPayment } from '../payment-provider/payment-provider.js';
import { judgedBefore, type JudgedBefore } from './payment-race.js';
import { PaymentStore, type KnownPayment } from './payment.store.js';

/** Notices of one transaction: the lane is locked meanwhile. */
const togetherMax = 64;
const isAlarming = (outcome: NoticeOutcome): boolean => outcome === 'report' || (outcome in judgedBefore && judgedBefore[outcome as JudgedBefore].action === 'report');

/** A lane's batcher and the notices that wait for it. */
interface LaneQueue {
  batcher: Batcher<ToldOfPayment, NoticeOutcome>;
  waiting: number;
}

/** Applies what providers say, each event once. Notices that come while others of their lane are judged are judged together. */
@Injectable()
export class PaymentJudge {
  private readonly log = createLogger('payment');
  private readonly finder: Batcher<string, KnownPayment | null>;
  private readonly lanes = new Map<string, LaneQueue>();

  constructor(
    private readonly database: Database,
    private readonly laneJudge: LaneJudge,
    private readonly events: PaymentEventStore,
    payments: PaymentStore,
  ) {
    this.finder = new Batcher((paymentIds) => payments.findAll(paymentIds), { sizeMax: 128, batchesInFlightMax: 2 });
  }

  /** Resolves after the commit. A refusal of the notice is an outcome too; it throws only where the database is away, or for a bug. */
  async judge(provider: string, notice: ProviderNotice): Promise<NoticeOutcome> {
    const payment = await this.finder.ask(notice.paymentId);
    const outcome = payment?.provider === provider ? await this.inLane({ provider, notice, payment }) : await this.noteUnknown(provider, notice);
    const { id, type, paymentId } = notice;
    this.log[isAlarming(outcome) ? 'warn' : 'debug']({ provider, notice: id, type, paymentId, outcome }, 'a payment notice was judged');
    return outcome;
  }

  /** As {@link judge}, for what the provider answered when it was asked. Asking again tells the same event. */
  async judgeAnswer(provider: string, payment: ProviderPayment): Promise<NoticeOutcome> {
    const { paymentId, orderId, amount, state } = payment;
    return this.judge(provider, { id: `asked.${state}.${paymentId}`, type: `payment.${state}`, paymentId, orderId, amount, occurredAt: new Date().toISOString() });
  }

  /** One batch at a time: the lane's lock would make a second one wait anyway. The queue goes with its last notice, so sales long over leave nothing. */
  private async inLane(told: ToldOfPayment): Promise<NoticeOutcome> {
    const { saleId, lane } = told.payment;
    const name = `${saleId}/${lane}`;
    const queue = this.lanes.get(name)
      ?? { batcher: new Batcher<ToldOfPayment, NoticeOutcome>((batch) => this.laneJudge.judge(saleId, lane, batch), { sizeMax: togetherMax, batchesInFlightMax: 1 }), waiting: 0 };
    this.lanes.set(name, queue);
    queue.waiting++;
    try {
      return await queue.batcher.ask(told);
    } finally {
      if (--queue.waiting === 0) this.lanes.delete(name);
    }
  }

  private async noteUnknown(provider: string, notice: ProviderNotice): Promise<NoticeOutcome> {
    return this.database.transaction(async (tx) => {
      const { fresh: [told], altered } = await this.events.receive(tx, [{ provider, notice }]);
      if (!told) return altered.length > 0 ? 'altered' : 'repeated';
      await this.events.noteOutcomes(tx, new Map([[told, 'unknown-payment']]));
      return 'unknown-payment';
    });
  }
}
