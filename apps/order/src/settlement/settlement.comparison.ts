import type { SettlementDifferenceView } from '@floodgate/contracts';
import { Injectable } from '@nestjs/common';
import { PaymentJudge } from '../payment/payment.judge.js';
import type { MovedMoney, PaymentProvider, Span } from '../payment-provider/payment-provider.js';
import { differencesOf, type OurPayment } from './settlement.differences.js';
import { SettlementRecordsStore, type OrderWithoutMoney, type Pair } from './settlement-records.store.js';
import { SettlementStore } from './settlement.store.js';

const pageSize = 500;
/** Payments of which both sides are asked again at the same time. */
const lookingMax = 16;

/**
 * Holds a provider's book against our payments, orders and refunds. The two are read one after the other, so a payment under way
 * differs for a moment: what seems to differ is looked at again on both sides, and only what differs then as well counts.
 */
@Injectable()
export class SettlementComparison {
  constructor(
    private readonly settlements: SettlementStore,
    private readonly records: SettlementRecordsStore,
    private readonly judge: PaymentJudge,
  ) {}

  /** Records every difference under `id`; answers how many payments each side has. Throws ProviderUnavailableError. */
  async run(id: string, provider: PaymentProvider, span: Span): Promise<{ there: number; here: number }> {
    const counts = { there: 0, here: 0 };
    for await (const page of pagesOf(provider.moved(span))) await this.settlements.stage(id, page);
    for await (const pairs of this.records.staged(id, provider.name)) {
      counts.there += pairs.length;
      counts.here += pairs.filter(({ ours }) => ours !== null).length;
      await this.settlements.record(id, await this.confirmed(provider, pairs));
      await this.settlements.touch(id);
    }
    for await (const pairs of this.records.unlisted(id, provider.name, span)) {
      counts.here += pairs.length;
      await this.settlements.record(id, await this.confirmed(provider, pairs));
      await this.settlements.touch(id);
    }
    for await (const orders of this.records.withoutMoney(span)) await this.settlements.record(id, orders.map(withoutMoney));
    return counts;
  }

  private async confirmed(provider: PaymentProvider, pairs: readonly Pair[]): Promise<SettlementDifferenceView[]> {
    const suspects = pairs.filter(({ ours, theirs }) => differencesOf(ours, theirs).length > 0);
    const found: SettlementDifferenceView[] = [];
    for (let at = 0; at < suspects.length; at += lookingMax) {
      const looked = await Promise.all(suspects.slice(at, at + lookingMax).map((pair) => this.lookAgain(provider, pair)));
      found.push(...looked.flat());
    }
    return found;
  }

  private async lookAgain(provider: PaymentProvider, pair: Pair): Promise<SettlementDifferenceView[]> {
    const paymentId = (pair.ours ?? pair.theirs!).paymentId;
    const theirs = await provider.money(paymentId);
    const ours = await this.records.one(provider.name, paymentId);
    const kinds = differencesOf(ours, theirs);
    if (kinds.includes('state')) await this.tell(provider, paymentId);
    const orderId = (ours ?? theirs ?? pair.ours ?? pair.theirs)!.orderId;
    return kinds.map((kind) => ({ kind, paymentId, orderId, here: inOurWords(ours), there: inTheirWords(theirs) }));
  }

  /** What the book says is news to us: judged like any other answer, so that money found today is right tomorrow. The difference stands. */
  private async tell(provider: PaymentProvider, paymentId: string): Promise<void> {
    const found = await provider.read(paymentId);
    if (found && found.state !== 'open' && found.state !== 'closed') await this.judge.judgeAnswer(provider.name, found);
  }
}

async function* pagesOf(money: AsyncIterable<MovedMoney>): AsyncIterable<MovedMoney[]> {
  let page: MovedMoney[] = [];
  for await (const one of money) {
    page.push(one);
    if (page.length < pageSize) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

const inOurWords = (ours: OurPayment | null): string => (ours
  ? `${ours.amount} ${ours.currency} ${ours.state}${ours.refund ? `, refund ${ours.refund}` : ''}, order ${ours.orderState}${ours.pays ? ' stands for it' : ''}` : 'no such payment');
const inTheirWords = (theirs: MovedMoney | null): string => (theirs ? `${theirs.captured} ${theirs.currency} captured, ${theirs.refunded} refunded` : 'no such payment');

const withoutMoney = ({ orderId, state, amount, currency }: OrderWithoutMoney): SettlementDifferenceView => (
  { kind: 'paid-without-money', paymentId: null, orderId, here: `order ${state}, ${amount} ${currency}`, there: 'no payment to look for' });
