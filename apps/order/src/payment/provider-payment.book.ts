import { createLogger, errorText } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { PaymentBook, type BookedPayment } from '../reconcile/payment-book.js';
import { PaymentProvider, ProviderUnavailableError } from './payment-provider.js';

/** The provider's book as the audit wants it. */
@Injectable()
export class ProviderPaymentBook extends PaymentBook {
  private readonly log = createLogger('payment-book');

  constructor(private readonly provider: PaymentProvider) {
    super();
  }

  override async payments(saleId: string): Promise<BookedPayment[] | 'unreachable'> {
    const found: BookedPayment[] = [];
    try {
      for await (const { paymentId, orderId, state, amount } of this.provider.book(`${saleId}.`)) {
        const captured = state === 'captured' || state === 'refunded' ? amount.amount : 0;
        found.push({ paymentId, orderId, captured, refunded: state === 'refunded' ? amount.amount : 0 });
      }
    } catch (error) {
      if (!(error instanceof ProviderUnavailableError)) throw error;
      this.log.warn({ problem: errorText(error) }, 'the book cannot be read');
      return 'unreachable';
    }
    return found;
  }
}
