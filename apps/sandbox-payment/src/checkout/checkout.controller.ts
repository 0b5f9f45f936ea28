import { timingSafeEqual } from 'node:crypto';
import { Body, ConflictException, Controller, Get, Header, Headers, HttpCode, NotFoundException, Param, Post, Res } from '@nestjs/common';
import { z } from 'zod';
import type { Payment } from '../book/payment.store.js';
import { PaymentActions } from '../settlement/payment.actions.js';
import { checkoutPage } from './checkout-page.js';
import { parseCheckout } from './checkout-urls.js';

const checkoutSchema = z.strictObject({
  outcome: z.enum(['capture', 'decline']),
  /** Milliseconds until the decision takes effect. */
  delayMs: z.int().min(0).default(0),
  /** Extra notices of it. */
  repeat: z.int().min(0).default(0),
});

/** The buyer's side: a page per payment, found only by its unguessable address. */
@Controller('checkout')
export class CheckoutController {
  constructor(private readonly actions: PaymentActions) {}

  @Get(':checkout')
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', "default-src 'none'; form-action 'self'")
  @Header('referrer-policy', 'no-referrer')
  async page(@Param('checkout') checkout: string): Promise<string> {
    return checkoutPage(await this.find(checkout));
  }

  /** 202 also when the payment was settled before, without a second effect; 409 for paying what can no longer be paid. */
  @Post(':checkout')
  @HttpCode(202)
  async decide(
    @Param('checkout') checkout: string,
    @Body({ schema: checkoutSchema }) input: z.infer<typeof checkoutSchema>,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: { header(name: string, value: string): unknown },
  ): Promise<unknown> {
    const { paymentId, state: before } = await this.find(checkout);
    const payment = await this.actions.decide(paymentId, input.outcome, input.delayMs, input.repeat);
    if (!payment) throw new NotFoundException('no such payment');
    // Declined just now is what became of this decision; declined before means that it came too late.
    const over = ['closed', 'expired'].includes(payment.state) || (payment.state === 'declined' && before !== 'open');
    if (input.outcome === 'capture' && over) {
      throw new ConflictException({ message: 'this payment can no longer be paid', state: payment.state });
    }
    if (!accept?.includes('text/html')) return { paymentId, state: payment.state };
    reply.header('content-type', 'text/html; charset=utf-8');
    return checkoutPage(payment);
  }

  private async find(checkout: string): Promise<Payment> {
    const named = parseCheckout(checkout);
    const payment = named && (await this.actions.find(named.paymentId));
    if (!named || !payment || !sameSecret(named.secret, payment.secret)) throw new NotFoundException('no such payment');
    return payment;
  }
}

function sameSecret(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
