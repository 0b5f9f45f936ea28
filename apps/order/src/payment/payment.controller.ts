import { accept, refuse, type Answer, type Ask } from '@floodgate/contracts';
import { Answers, createLogger, errorText, metrics } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { Counter } from 'prom-client';
import { PaymentJudge } from './payment.judge.js';
import { ProviderUnavailableError, type NoticeReading, type PaymentProvider } from '../payment-provider/payment-provider.js';
import { PaymentProviders } from '../payment-provider/payment-providers.js';
import { StartPayment } from './start-payment.js';

const noticesCounter = new Counter({ name: 'floodgate_payment_notices_total', help: 'Callbacks of payment providers by what they came to.', labelNames: ['provider', 'outcome'], registers: [metrics] });

/** What the gateway asks about payments. */
@Controller()
export class PaymentController {
  private readonly log = createLogger('payment-notice');

  constructor(
    private readonly startPayment: StartPayment,
    private readonly providers: PaymentProviders,
    private readonly judge: PaymentJudge,
  ) {}

  @Answers('start-payment')
  start(ask: Ask<'start-payment'>): Promise<Answer<'start-payment'>> {
    return this.startPayment.start(ask);
  }

  /** Accepted only after the commit, so that a provider repeats what a crash may have lost. */
  @Answers('payment-notice')
  async notice(ask: Ask<'payment-notice'>): Promise<Answer<'payment-notice'>> {
    const provider = this.providers.find(ask.provider);
    if (!provider) return refuse('NOT_FOUND', 'no such payment provider');
    const notice = await this.read(provider, ask);
    if (typeof notice === 'string') noticesCounter.inc({ provider: provider.name, outcome: notice });
    if (notice === 'unanswered') return refuse('UNAVAILABLE', 'the payment provider cannot be asked what this is about');
    if (notice === 'bad-signature') return refuse('BAD_SIGNATURE', 'the signature is missing, wrong or too old');
    if (notice === 'malformed') return refuse('INVALID_REQUEST', 'this is no payment notice', { errors: [{ path: '', message: 'must be a payment notice in JSON' }] });
    const outcome = await this.judge.judge(provider.name, notice);
    noticesCounter.inc({ provider: provider.name, outcome });
    return accept({ outcome });
  }

  /** Some notices say only where to ask; a provider that does not answer then is told to repeat itself. */
  private async read(provider: PaymentProvider, ask: Ask<'payment-notice'>): Promise<NoticeReading | 'unanswered'> {
    try {
      return await provider.readNotice(ask.headers, Buffer.from(ask.body, 'base64'));
    } catch (error) {
      if (!(error instanceof ProviderUnavailableError)) throw error;
      this.log.warn({ provider: provider.name, problem: errorText(error) }, 'a notice could not be read');
      return 'unanswered';
    }
  }
}
