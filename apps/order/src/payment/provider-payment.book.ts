import { createLogger, errorText } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { ProviderUnavailableError } from '../payment-provider/payment-provider.js';
import { PaymentProviders } from '../payment-provider/payment-providers.js';
import { PaymentBook, type BookedPayment } from '../reconcile/payment-book.js';
import { PaymentStore } from './payment.store.js';

/** The providers' books as the audit wants them. */
@Injectable()
export class ProviderPaymentBook extends PaymentBook {
  private readonly log = createLogger('payment-book');

  constructor(private readonly providers: PaymentProviders, private readonly rows: PaymentStore) {
    super();
  }

  /** All providers configured, since one may have money that no row here knows of, and all that the rows name, configured or not. */
  override async payments(saleId: string): Promise<BookedPayment[] | 'unreachable'> {
    const found: BookedPayment[] = [];
    try {
      for (const provider of new Set([...this.providers.names, ...(await this.rows.providersOf(saleId))])) {
        for await (const { paymentId, orderId, state, amount } of this.providers.of({ provider }).book(`${saleId}.`)) {
          const captured = state === 'captured' || state === 'refunded' ? amount.amount : 0;
          found.push({ paymentId, orderId, captured, refunded: state === 'refunded' ? amount.amount : 0 });
        }
      }
    } catch (error) {
      if (!(error instanceof ProviderUnavailableError)) throw error;
      this.log.warn({ problem: errorText(error) }, 'the book cannot be read');
      return 'unreachable';
    }
    return found;
  }
}
