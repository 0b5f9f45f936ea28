import { Injectable } from '@nestjs/common';
import type { Payment } from '../book/payment.store.js';

/** Where the buyer's pages are: `<origin>/checkout/<payment id>.<secret>`. */
@Injectable()
export class CheckoutUrls {
  constructor(private readonly origin: string) {}

  of(payment: Payment): string {
    return new URL(`/checkout/${payment.paymentId}.${payment.secret}`, this.origin).href;
  }
}

/** The two halves of a page's path; null if it cannot be one. Payment ids may contain dots, secrets do not. */
export function parseCheckout(checkout: string): { paymentId: string; secret: string } | null {
  const at = checkout.lastIndexOf('.');
  return at > 0 ? { paymentId: checkout.slice(0, at), secret: checkout.slice(at + 1) } : null;
}
