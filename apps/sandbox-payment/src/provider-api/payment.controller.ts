import { randomBytes } from 'node:crypto';
import { Body, ConflictException, Controller, Get, HttpCode, HttpStatus, NotFoundException, Param, Post, Query, Res, UseGuards } from '@nestjs/common';
import { idSchema, type Money } from '@floodgate/contracts';
import { z } from 'zod';
import { PaymentStore, type Payment } from '../book/payment.store.js';
import type { PaymentState } from '../book/payment.transitions.js';
import { CheckoutUrls } from '../checkout/checkout-urls.js';
import { PaymentActions } from '../settlement/payment.actions.js';
import { ApiKeyGuard } from './api-key.guard.js';
import { bookCursor, decodeCursor, encodeCursor } from './book-cursor.js';

const pageSize = 500;
const webUrl = z.url({ protocol: /^https?$/ });
const newPaymentSchema = z.strictObject({
  paymentId: idSchema,
  orderId: idSchema,
  amount: z.strictObject({ amount: z.int().min(0), currency: z.string().regex(/^[A-Z]{3}$/) }),
  callbackUrl: webUrl,
  returnUrl: webUrl.nullish(),
  expiresAt: z.iso.datetime(),
});
const refundSchema = z.strictObject({ refundId: idSchema });
const bookQuerySchema = z.strictObject({
  orderPrefix: z.string().max(64).default(''), cursor: bookCursor.optional(),
  /** Only payments captured or refunded from one moment (included) until another; then by payment id, and for all orders. */
  movedFrom: z.iso.datetime().optional(), movedUntil: z.iso.datetime().optional(),
});

/** A payment as the shop sees it. */
export interface PaymentRecord {
  paymentId: string;
  orderId: string;
  state: PaymentState;
  amount: Money;
  redirectUrl: string;
  expiresAt: string;
  settledAt: string | null;
  refundId: string | null;
  refundedAt: string | null;
}

const time = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

/** The provider's side for the shop. Every call may be repeated: payments by their id, refunds by theirs. */
@Controller('v1')
@UseGuards(ApiKeyGuard)
export class PaymentController {
  constructor(
    private readonly actions: PaymentActions,
    private readonly payments: PaymentStore,
    private readonly urls: CheckoutUrls,
  ) {}

  /** 201 when opened, 200 when that id is known with the same order and amount, else 409. */
  @Post('payments')
  async open(@Body({ schema: newPaymentSchema }) input: z.infer<typeof newPaymentSchema>, @Res({ passthrough: true }) reply: { status(code: number): unknown }): Promise<PaymentRecord> {
    const secret = randomBytes(24).toString('base64url');
    const { expiresAt, returnUrl, ...rest } = input;
    const payment = await this.actions.open({ ...rest, returnUrl: returnUrl ?? null, secret, createdAtMs: Date.now(), expiresAtMs: Date.parse(expiresAt) });
    const same = payment.orderId === input.orderId && payment.amount.amount === input.amount.amount && payment.amount.currency === input.amount.currency;
    if (!same) throw new ConflictException('this payment id is known with another order or amount');
    reply.status(payment.secret === secret ? HttpStatus.CREATED : HttpStatus.OK);
    return this.record(payment);
  }

  @Get('payments/:id')
  async read(@Param('id') id: string): Promise<PaymentRecord> {
    return this.record(known(await this.actions.find(id)));
  }

  /** 200 with the state reached: `closed`, or what had happened before (`captured`, say). */
  @Post('payments/:id/close')
  @HttpCode(200)
  async close(@Param('id') id: string): Promise<PaymentRecord> {
    return this.record(known(await this.actions.close(id)));
  }

  /** 200 for the one refund of a captured payment and its repetitions, else 409. */
  @Post('payments/:id/refund')
  @HttpCode(200)
  async refund(@Param('id') id: string, @Body({ schema: refundSchema }) { refundId }: z.infer<typeof refundSchema>): Promise<PaymentRecord> {
    const payment = known(await this.actions.refund(id, refundId));
    if (payment.refundId !== refundId) throw new ConflictException({ message: 'there is nothing (more) to give back', state: payment.state });
    return this.record(payment);
  }

  /** The book by order id: what an audit compares with the shop's own records. */
  @Get('book')
  book(@Query({ schema: bookQuerySchema }) query: z.infer<typeof bookQuerySchema>): { items: PaymentRecord[]; nextCursor: string | null } {
    const { orderPrefix, cursor, movedFrom, movedUntil } = query;
    const after = decodeCursor(cursor);
    const page = movedFrom === undefined && movedUntil === undefined ? this.payments.page(orderPrefix, after, pageSize)
      : this.payments.moved({ fromMs: movedFrom === undefined ? 0 : Date.parse(movedFrom), untilMs: movedUntil === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(movedUntil) }, after.paymentId, pageSize);
    const last = page.length === pageSize ? page.at(-1) : undefined;
    return { items: page.map((payment) => this.record(payment)), nextCursor: last ? encodeCursor(last) : null };
  }

  private record(payment: Payment): PaymentRecord {
    const { paymentId, orderId, state, amount, refundId } = payment;
    return {
      paymentId, orderId, state, amount, redirectUrl: this.urls.of(payment), expiresAt: new Date(payment.expiresAtMs).toISOString(),
      settledAt: time(payment.settledAtMs), refundId, refundedAt: time(payment.refundedAtMs),
    };
  }
}

function known(payment: Payment | null): Payment {
  if (!payment) throw new NotFoundException('no such payment');
  return payment;
}
