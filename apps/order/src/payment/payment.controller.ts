import { accept, refuse, type Answer, type Ask } from '@floodgate/contracts';
import { Answers, metrics } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { Counter } from 'prom-client';
import { PaymentJudge } from './payment.judge.js';
import { PaymentProvider } from './payment-provider.js';
import { StartPayment } from './start-payment.js';

const noticesCounter = new Counter({ name: 'floodgate_payment_notices_total', help: 'Callbacks of payment providers by what they came to.', labelNames: ['outcome'], registers: [metrics] });

/** What the gateway asks about payments. */
@Controller()
export class PaymentController {
  constructor(
    private readonly startPayment: StartPayment,
    private readonly provider: PaymentProvider,
    private readonly judge: PaymentJudge,
  ) {}

  @Answers('start-payment')
  start(ask: Ask<'start-payment'>): Promise<Answer<'start-payment'>> {
    return this.startPayment.start(ask);
  }

  /** Accepted only after the commit, so that a provider repeats what a crash may have lost. */
  @Answers('payment-notice')
  async notice(ask: Ask<'payment-notice'>): Promise<Answer<'payment-notice'>> {
    if (ask.provider !== this.provider.name) return refuse('NOT_FOUND', 'no such payment provider');
    const notice = this.provider.readNotice(ask.headers, Buffer.from(ask.body, 'base64'));
    if (typeof notice === 'string') noticesCounter.inc({ outcome: notice });
    if (notice === 'bad-signature') return refuse('BAD_SIGNATURE', 'the signature is missing, wrong or too old');
    if (notice === 'malformed') return refuse('INVALID_REQUEST', 'this is no payment notice', { errors: [{ path: '', message: 'must be a payment notice in JSON' }] });
    const outcome = await this.judge.judge(this.provider.name, notice);
    noticesCounter.inc({ outcome });
    return accept({ outcome });
  }
}
