/** One payment as the provider's own book has it; amounts in minor units. */
export interface BookedPayment {
  paymentId: string;
  orderId: string;
  captured: number;
  refunded: number;
}

/** The provider's record, which the audit holds against ours: implemented in payment/. */
export abstract class PaymentBook {
  /** Every payment of the sale, or `unreachable`: then nobody can say that the money is right. */
  abstract payments(saleId: string): Promise<BookedPayment[] | 'unreachable'>;
}
