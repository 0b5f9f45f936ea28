import { Injectable, Logger } from '@nestjs/common';
import { refuse, type Answer, type Ask, type Refusal, type RequestName } from '@floodgate/contracts';
import { RequestClient, RequestError } from '@floodgate/platform';

/** How long a person's question may take where the usual three seconds do not do: an audit reads every order of a sale. */
const timeoutsMs: Partial<Record<RequestName, number>> = {
  'audit-sale': 60_000,
  'export-sale': 60_000,
  'reconcile-sale': 60_000,
  'get-sale-report': 15_000,
  'compare-settlement': 15_000,
  'get-settlement': 10_000,
  'start-payment': 10_000,
  'change-stock': 10_000,
  'preflight-sale': 10_000,
  'move-sale': 5_000,
  'save-channel': 10_000,
  'test-channel': 20_000,
  'import-codes': 15_000,
  'get-code-pool': 15_000,
};

/** The other services, as a person's request needs them: no answer is a refusal like any other. */
@Injectable()
export class Services {
  private readonly logger = new Logger('Services');

  constructor(private readonly client: RequestClient) {}

  /**
   * Asks a service. Without an answer it is `UNAVAILABLE` (or `OVERLOADED`), whether or not the question was carried out:
   * what must not happen twice has an idempotency key.
   */
  async ask<N extends RequestName>(name: N, body: Ask<N>, timeoutMs = timeoutsMs[name]): Promise<Answer<N> | Refusal> {
    try {
      return await this.client.ask(name, body, timeoutMs === undefined ? {} : { timeoutMs });
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      if (error.code === 'FAILED') this.logger.error(error.message);
      return error.code === 'OVERLOADED'
        ? refuse('OVERLOADED', 'Too many requests are under way.')
        : refuse('UNAVAILABLE', 'A part of the platform that this needs does not answer.');
    }
  }
}

/** Whether this is a refusal, for answers that are no outcomes. */
export const isRefusal = (answer: object): answer is Refusal => 'ok' in answer && answer.ok === false;
