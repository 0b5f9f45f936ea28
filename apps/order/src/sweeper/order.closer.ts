import type { ReleaseReason } from '@floodgate/contracts';
import { classifyFailure, crashPoint, createLogger, Database, errorText } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { PaymentJudge } from '../payment/payment.judge.js';
import { ProviderUnavailableError } from '../payment-provider/payment-provider.js';
import { PaymentProviders } from '../payment-provider/payment-providers.js';
import { paymentOrderOf, PaymentStore, type PaymentRow } from '../payment/payment.store.js';
import { PurchaseSaga } from '../place-order/purchase.saga.js';

/** An order in CLOSING, and why. */
export interface ClosingOrder {
  saleId: string;
  rid: string;
  reason: ReleaseReason;
}

/** `closed`: released, or it had ended already. `paid`: the money was faster. `unknown`: the provider did not say; the order keeps holding. */
export type CloseWord = 'closed' | 'paid' | 'unknown';
export interface CloseResult {
  word: CloseWord;
  /** Why it is unknown. */
  problem: string | null;
}

const closed: CloseResult = { word: 'closed', problem: null };
const unknown = (problem: string): CloseResult => ({ word: 'unknown', problem });

/** Calls to the provider at the same time. */
const askingMax = 16;

/**
 * The second half of a close: an order's units are given back only after the provider has closed its live payment for good,
 * so no money can come for an order that is released. No payment begins meanwhile, since orders in CLOSING take none.
 */
@Injectable()
export class OrderCloser {
  private readonly log = createLogger('order-closer');

  constructor(
    private readonly database: Database,
    private readonly payments: PaymentStore,
    private readonly providers: PaymentProviders,
    private readonly judge: PaymentJudge,
    private readonly saga: PurchaseSaga,
  ) {}

  /** Every order's result by its rid. Repeating it is harmless; throws only where the database is away. */
  async finish(orders: readonly ClosingOrder[]): Promise<Map<string, CloseResult>> {
    const results = new Map<string, CloseResult>(orders.map((order) => [order.rid, closed]));
    const live = await this.payments.liveOf(this.database, orders);
    for (let at = 0; at < live.length; at += askingMax) {
      const asked = live.slice(at, at + askingMax);
      const answers = await Promise.all(asked.map((payment) => this.closePayment(payment)));
      asked.forEach(({ rid }, index) => results.set(rid, answers[index]!));
      if (answers.some(({ word }) => word !== 'unknown')) continue;
      // Nobody answers: the rest would only wait for the same time-out, one group after the other.
      for (const { rid } of live.slice(at + askingMax)) results.set(rid, answers[0]!);
      break;
    }
    const closable = orders.filter((order) => results.get(order.rid)?.word === 'closed');
    for (const [saleId, group] of Map.groupBy(closable, (order) => order.saleId)) {
      await this.release(saleId, group, results);
    }
    return results;
  }

  private async closePayment(payment: PaymentRow): Promise<CloseResult> {
    try {
      crashPoint('close.before-provider');
      const found = await this.providers.of(payment).close(paymentOrderOf(payment));
      crashPoint('close.after-provider');
      if (found.state === 'open') return unknown('the provider leaves the payment open');
      if (found.state === 'closed' || found.state === 'expired') return closed;
      const outcome = await this.judge.judgeAnswer(payment.provider, found);
      // A capture that the race table did not turn into a paid order (a wrong amount, say) needs people, and holds its units until then.
      if (found.state === 'captured') return outcome === 'mark-paid' ? { word: 'paid', problem: null } : unknown(`captured, and judged ${outcome}`);
      return closed;
    } catch (error) {
      if (classifyFailure(error) === 'infrastructure') throw error;
      const { paymentId } = payment;
      // One that cannot be judged must not keep the others from it for ever.
      if (error instanceof ProviderUnavailableError) this.log.warn({ paymentId, problem: errorText(error) }, 'the provider did not say whether a payment is closed');
      else this.log.error({ paymentId, err: error }, 'what the provider says of a payment cannot be judged');
      return unknown(errorText(error));
    }
  }

  /** All in one transaction; one that cannot be closed must not keep its company from it, so then each in its own. */
  private async release(saleId: string, orders: readonly ClosingOrder[], results: Map<string, CloseResult>): Promise<void> {
    const [first] = orders;
    if (!first) return;
    try {
      // Each row carries its reason since CLOSING, and that one wins.
      await this.database.transaction(async (tx) => {
        await this.saga.closeOrders(tx, saleId, orders.map((order) => order.rid), first.reason);
        crashPoint('close.before-commit');
      });
      crashPoint('close.after-commit');
    } catch (error) {
      if (classifyFailure(error) === 'infrastructure') throw error;
      if (orders.length > 1) {
        for (const order of orders) await this.release(saleId, [order], results);
        return;
      }
      this.log.error({ rid: first.rid, err: error }, 'an order could not be closed');
      results.set(first.rid, unknown(errorText(error)));
    }
  }
}
