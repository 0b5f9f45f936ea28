import type { View } from '@floodgate/contracts';

import type { RunFile } from '../supervisor/run-file.js';
import { HttpClient, type Call, type Listener } from './http-client.js';
import type { Attempt, Purchase } from './history.js';
import { Pauses } from './pauses.js';
import type { Press } from './attempt-rules.js';
import type { Plan } from './plan.js';
import { signToken } from './sign-token.js';
import { Tally } from './tally.js';

/** The sale as it was made, with what the buyers have to know of it. */
export interface StagedSale {
  id: string;
  merchant: string;
  paymentWindowMs: number;
  opensAtMs: number;
  /** In the order of the plan's items. */
  items: View.SaleItemView[];
}

/** What everybody in a run shares: connections, tokens, the history. */
export class Stage {
  readonly pauses = new Pauses();
  readonly tally = new Tally();
  /** By idempotency key. */
  readonly attempts = new Map<string, Attempt>();
  /** By reservation id. */
  readonly purchases = new Map<string, Purchase>();
  /** For attempts alone: they must not queue behind the polls of those who won. */
  readonly rush: HttpClient;
  /** For payments and cancellations: a payer must not queue behind those who only look. */
  readonly till: HttpClient;
  /** For everything else. */
  readonly calm: HttpClient;
  readonly streams: HttpClient;
  private readonly tokens = new Map<string, string>();
  private readonly providers = new Map<string, HttpClient>();

  /**
   * @param options.addressOf where a buyer's requests come from, for a scenario in which that matters: the player stands where a proxy does
   * @param options.heard called with every answer, in any client of the run
   */
  constructor(readonly run: RunFile, readonly plan: Plan, private readonly options: { addressOf?: (buyer: string) => string; heard?: Listener } = {}) {
    const { heard } = options;
    this.rush = new HttpClient(run.gatewayUrl, 128, heard);
    this.till = new HttpClient(run.gatewayUrl, 32, heard);
    this.calm = new HttpClient(run.gatewayUrl, 32, heard);
    this.streams = new HttpClient(run.gatewayUrl, streamsMax);
  }

  /** A buyer's token. Signed here: thousands of log-ins are not what a scenario is about. */
  tokenOf(buyer: string): string {
    let token = this.tokens.get(buyer);
    if (token === undefined) this.tokens.set(buyer, token = signToken(this.run.jwtSecret, buyer, ['buyer']));
    return token;
  }

  /** Who a call comes from, and from where. */
  as(buyer: string): Pick<Call, 'token' | 'from'> {
    const token = this.tokenOf(buyer);
    const { addressOf } = this.options;
    return addressOf ? { token, from: addressOf(buyer) } : { token };
  }

  /** Requests to the gateway so far, the staff's few among them. */
  get requests(): number {
    return this.rush.sent + this.till.sent + this.calm.sent + this.streams.sent;
  }

  /** The history of a press's key. */
  attemptOf(press: Press, sale: StagedSale): Attempt {
    let attempt = this.attempts.get(press.key);
    if (!attempt) {
      const items = press.items.map(({ item, quantity }) => ({ itemId: sale.items[item]!.id, quantity }));
      this.attempts.set(press.key, attempt = { key: press.key, buyer: press.buyer, items, exchanges: [] });
    }
    return attempt;
  }

  /** The provider whose page a payment leads to. */
  providerAt(origin: string): HttpClient {
    let client = this.providers.get(origin);
    if (!client) this.providers.set(origin, client = new HttpClient(origin, 16, this.options.heard));
    return client;
  }

  async close(): Promise<void> {
    this.pauses.stop();
    await Promise.all([this.rush, this.till, this.calm, this.streams, ...this.providers.values()].map((client) => client.close()));
  }
}

/** Buyers on server-sent events at one time; the others poll. A stream holds its connection, so this bounds the sockets of a run. */
export const streamsMax = 48;

/** Does something on a stage, which is cleared afterwards. When `signal` aborts, whoever waits there stops waiting. */
export async function onStage<T>(stage: Stage, signal: AbortSignal, act: () => Promise<T>): Promise<T> {
  const stop = (): void => stage.pauses.stop();
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await act();
  } finally {
    signal.removeEventListener('abort', stop);
    await stage.close();
  }
}
