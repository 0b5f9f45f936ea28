import type { Money } from '@floodgate/contracts';

/** What a provider's book says of a payment. */
export const providerStates = ['open', 'captured', 'declined', 'closed', 'expired', 'refunded'] as const;
export type ProviderState = (typeof providerStates)[number];

/** Everything needed to open a payment, and to open it again: `paymentId` makes the repetition harmless. */
export interface PaymentOrder {
  paymentId: string;
  orderId: string;
  amount: Money;
  returnUrl: string | null;
  expiresAtMs: number;
}

export interface ProviderPayment {
  paymentId: string;
  orderId: string;
  state: ProviderState;
  amount: Money;
}

/** The money of one payment that has moved, as the provider's book has it; minor units of `currency`. */
export interface MovedMoney {
  paymentId: string;
  orderId: string;
  currency: string;
  captured: number;
  refunded: number;
}

/** What the states say of the money: a payment is captured whole, and refunded whole. */
export function moneyOf({ paymentId, orderId, state, amount: { amount, currency } }: ProviderPayment): MovedMoney {
  return { paymentId, orderId, currency, captured: state === 'captured' || state === 'refunded' ? amount : 0, refunded: state === 'refunded' ? amount : 0 };
}

/** A span of time in epoch milliseconds, its end not included. */
export interface Span {
  fromMs: number;
  untilMs: number;
}

/** A notice that a provider sent, its signature verified and its shape checked. `type` may be one that we do not know. */
export interface ProviderNotice {
  id: string;
  type: string;
  paymentId: string;
  orderId: string;
  amount: Money;
  occurredAt: string;
}

/** What a callback turned out to be. */
export type NoticeReading = ProviderNotice | 'bad-signature' | 'malformed';

/** The provider could not be asked, or did not answer: what it did is unknown. Every call may be repeated. */
export class ProviderUnavailableError extends Error {
  override readonly name = 'ProviderUnavailableError';
}

/** A company that takes money. The one edge of the order service that is not ours, so a port; every call is idempotent. */
export abstract class PaymentProvider {
  /** Its name in the public contract. */
  abstract readonly name: string;

  /** Opens the payment unless it is known, and answers where the buyer pays. Throws {@link ProviderUnavailableError}. */
  abstract open(payment: PaymentOrder): Promise<{ redirectUrl: string }>;

  /** What the book says now, or null where it has no such payment. Throws {@link ProviderUnavailableError}. */
  abstract read(paymentId: string): Promise<ProviderPayment | null>;

  /**
   * Closes the payment for ever unless it was settled before; the state answered is final. A payment that the provider never heard of is
   * opened and closed, so that an opening still on its way finds it closed. Throws {@link ProviderUnavailableError}.
   */
  abstract close(payment: PaymentOrder): Promise<ProviderPayment>;

  /** Gives captured money back, once for all repetitions with this `refundId`. Throws {@link ProviderUnavailableError}, also when refused. */
  abstract refund(paymentId: string, refundId: string): Promise<ProviderPayment>;

  /** Every payment whose order id starts with the prefix. Throws {@link ProviderUnavailableError}. */
  abstract book(orderPrefix: string): AsyncIterable<ProviderPayment>;

  /** The notice in a callback, or why it is none. `headers` in lower case; `body` as it came. Throws {@link ProviderUnavailableError} where it has to ask. */
  abstract readNotice(headers: Record<string, string>, body: Buffer): NoticeReading | Promise<NoticeReading>;

  /** Every payment that was captured or refunded within the span, as it stands now; one may come twice. Throws {@link ProviderUnavailableError}. */
  abstract moved(within: Span): AsyncIterable<MovedMoney>;

  /** The money of one payment, or null where the book has no such payment. Throws {@link ProviderUnavailableError}. */
  async money(paymentId: string): Promise<MovedMoney | null> {
    const found = await this.read(paymentId);
    return found && moneyOf(found);
  }

  /** Ends the connections, when nobody will ask any more. */
  abstract disconnect(): Promise<void>;
}
