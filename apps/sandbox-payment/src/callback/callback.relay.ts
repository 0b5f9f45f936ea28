import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { createLogger } from '@floodgate/platform';
import { Agent, request } from 'undici';
import { Book } from '../book/book.js';
import { NoticeStore, type Notice } from '../book/notice.store.js';
import { DueTimer } from '../settlement/due-timer.js';
import { signature } from './signature.js';

const inFlightMax = 32;
const backoffFirstMs = 250;
const backoffMaxMs = 5_000;
/** A receiver that takes longer counts as failed; it will see the same notice id again. */
const deliveryTimeoutMs = 5_000;

/**
 * Delivers the notices that the book owes, each until it was answered 200 as often as it is owed.
 * A process that dies between the receiver's 200 and its own commit delivers once more: at least once, never less.
 */
@Injectable()
export class CallbackRelay implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly log = createLogger('callback');
  private readonly timer = new DueTimer(() => this.pump());
  private readonly agent = new Agent({ connections: inFlightMax, connect: { timeout: 2_000 }, headersTimeout: deliveryTimeoutMs, bodyTimeout: deliveryTimeoutMs });
  private readonly inFlight = new Map<string, Promise<void>>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly book: Book,
    private readonly notices: NoticeStore,
    private readonly secret: string,
  ) {}

  onApplicationBootstrap(): void {
    this.wake();
  }

  /** Something new may be owed. */
  wake(): void {
    this.timer.wakeAt(Date.now());
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.timer.stop();
    this.stopping.abort();
    await Promise.all(this.inFlight.values());
    await this.agent.close();
  }

  private pump(): void {
    if (this.stopping.signal.aborted) return;
    const nowMs = Date.now();
    // Those in flight are still due in the book, so the window is the limit and no due notice hides behind them.
    for (const notice of this.notices.due(nowMs, inFlightMax)) {
      if (this.inFlight.has(notice.id)) continue;
      const delivery = this.deliver(notice).catch((error: unknown) => this.log.error({ err: error, notice: notice.id }, 'the book could not note a delivery'));
      this.inFlight.set(notice.id, delivery);
      void delivery.then(() => {
        this.inFlight.delete(notice.id);
        this.wake();
      });
    }
    this.timer.wakeAt(this.notices.nextAfterMs(nowMs));
  }

  private async deliver(notice: Notice): Promise<void> {
    const problem = await this.send(notice);
    if (this.stopping.signal.aborted && problem) return;
    const nowMs = Date.now();
    if (problem === null) return this.book.write(() => this.notices.delivered(notice.id, nowMs));
    const delayMs = Math.min(backoffMaxMs, backoffFirstMs * 2 ** Math.min(notice.failures, 10));
    this.log.warn({ notice: notice.id, problem, failures: notice.failures + 1, delayMs }, 'a notice was not taken');
    await this.book.write(() => this.notices.failed(notice.id, nowMs + delayMs));
  }

  /** Null: answered 200; else why not. */
  private async send(notice: Notice): Promise<string | null> {
    try {
      const answer = await request(notice.callbackUrl, {
        method: 'POST',
        dispatcher: this.agent,
        headers: { 'content-type': 'application/json', 'x-signature': signature(this.secret, notice.body, Date.now()) },
        body: notice.body,
        signal: AbortSignal.any([this.stopping.signal, AbortSignal.timeout(deliveryTimeoutMs)]),
      });
      await answer.body.dump();
      return answer.statusCode === 200 ? null : `answered ${answer.statusCode}`;
    } catch (error) {
      return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    }
  }
}
