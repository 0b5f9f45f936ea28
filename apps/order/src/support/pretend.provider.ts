import {
  moneyOf, PaymentProvider, ProviderUnavailableError, type MovedMoney, type PaymentOrder, type ProviderNotice, type ProviderPayment, type ProviderState,
} from '../payment-provider/payment-provider.js';

/** A provider under the test's control: its book is a map, and it can be away. What it was asked for is noted. */
export class PretendProvider extends PaymentProvider {
  readonly payments = new Map<string, ProviderPayment>();
  readonly refunds: string[] = [];
  /** Sums of single payments that no honest book would have. */
  readonly overbooked = new Map<string, Partial<MovedMoney>>();
  away = false;

  constructor(readonly name = 'sandbox') {
    super();
  }

  /** Called within a close, before it is answered: the moment for something else to happen. */
  whileClosing: (paymentId: string) => Promise<void> = async () => undefined;

  settle(paymentId: string, state: ProviderState): void {
    this.known(paymentId).state = state;
  }

  override async open(payment: PaymentOrder): Promise<{ redirectUrl: string }> {
    this.answer();
    const { paymentId, orderId, amount } = payment;
    if (!this.payments.has(paymentId)) this.payments.set(paymentId, { paymentId, orderId, amount, state: 'open' });
    return { redirectUrl: `http://provider.example/${paymentId}` };
  }

  override async read(paymentId: string): Promise<ProviderPayment | null> {
    this.answer();
    return this.payments.get(paymentId) ?? null;
  }

  override async close(payment: PaymentOrder): Promise<ProviderPayment> {
    this.answer();
    await this.open(payment);
    await this.whileClosing(payment.paymentId);
    const found = this.known(payment.paymentId);
    if (found.state === 'open') found.state = 'closed';
    return { ...found };
  }

  override async refund(paymentId: string, refundId: string): Promise<ProviderPayment> {
    this.answer();
    const found = this.known(paymentId);
    if (found.state !== 'captured' && found.state !== 'refunded') throw new ProviderUnavailableError('nothing to give back');
    if (found.state === 'captured') this.refunds.push(refundId);
    found.state = 'refunded';
    return { ...found };
  }

  override async *book(orderPrefix: string): AsyncIterable<ProviderPayment> {
    this.answer();
    for (const payment of this.payments.values()) if (payment.orderId.startsWith(orderPrefix)) yield payment;
  }

  override readNotice(_headers: Record<string, string>, body: Buffer): ProviderNotice {
    return JSON.parse(body.toString()) as ProviderNotice;
  }

  /** Whatever the span: the map knows no times. */
  override async *moved(): AsyncIterable<MovedMoney> {
    this.answer();
    for (const payment of this.payments.values()) {
      const money = this.moneyInBook(payment.paymentId);
      if (money && money.captured + money.refunded > 0) yield money;
    }
  }

  override async money(paymentId: string): Promise<MovedMoney | null> {
    this.answer();
    return this.moneyInBook(paymentId);
  }

  override async disconnect(): Promise<void> {}

  private moneyInBook(paymentId: string): MovedMoney | null {
    const found = this.payments.get(paymentId);
    return found ? { ...moneyOf(found), ...this.overbooked.get(paymentId) } : null;
  }

  private known(paymentId: string): ProviderPayment {
    const found = this.payments.get(paymentId);
    if (!found) throw new Error(`the provider has no payment ${paymentId}`);
    return found;
  }

  private answer(): void {
    if (this.away) throw new ProviderUnavailableError('away');
  }
}
