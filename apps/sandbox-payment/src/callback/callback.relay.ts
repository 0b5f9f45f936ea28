import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { createLogger } from '@floodgate/platform';
import { Agent, request } from 'undici';
import { Book } from '../book/book.js';
import { NoticeStore, type Notice } from '../book/notice.store.js';
import { DueTimer } from '../settlement/due-timer.js';
import { Misbehaviour } from '../misbehaviour/misbehaviour.js';
import { lieAbout, type Lie } from './lies.js';
import { signature } from './signature.js';

const inFlightMax = 32;
/** Repetitions that come at once need connections of their own. */
const connectionsMax = 128;
const backoffFirstMs = 250;
const backoffMaxMs = 5_000;
/** A receiver that takes longer counts as failed; it will see the same notice id again. */
const deliveryTimeoutMs = 5_000;
/** An opening waits no longer for the callback that comes before its answer: the shop gives up after two seconds. */
const earlyMaxMs = 1_000;

/**
 * Delivers the notices that the book owes, each until it was answered 200 as often as it is owed.
 * A process that dies between the receiver's 200 and its own commit delivers once more: at least once, never less.
 */
@Injectable()
export class CallbackRelay implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly log = createLogger('callback');
  private readonly timer = new DueTimer(() => this.pump());
  private readonly agent = new Agent({ connections: connectionsMax, connect: { timeout: 2_000 }, headersTimeout: deliveryTimeoutMs, bodyTimeout: deliveryTimeoutMs });
  private readonly inFlight = new Map<string, Promise<void>>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly book: Book,
    private readonly notices: NoticeStore,
    private readonly misbehaviour: Misbehaviour,
    private readonly secret: string,
  ) {
    misbehaviour.onChange(() => this.wake());
  }

  onApplicationBootstrap(): void {
    this.wake();
  }

  /** Something new may be owed. */
  wake(): void {
    this.timer.wakeAt(Date.now());
  }

  /** Resolves when the notices that a payment is owed now were delivered once, or soon after in vain. */
  async told(paymentId: string): Promise<void> {
    this.pump();
    const deliveries = this.notices.idsOf(paymentId).map((id) => this.inFlight.get(id) ?? Promise.resolve());
    await Promise.race([Promise.all(deliveries), new Promise((resolve) => { setTimeout(resolve, earlyMaxMs).unref(); })]);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.timer.stop();
    this.stopping.abort();
    await Promise.all(this.inFlight.values());
    await this.agent.close();
  }

  private pump(): void {
    // One that is down calls nobody; `onChange` wakes us when it is up again.
    if (this.stopping.signal.aborted || this.misbehaviour.settings.down !== 'no') return;
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
    const { callbackUrl, body } = notice;
    // Nobody asks what became of a lie.
    for (const lie of notice.lies.split(',').filter((word) => word !== '')) await this.send(callbackUrl, lieAbout(lie as Lie, body, this.secret, Date.now()));
    const deliveries = notice.concurrent === 1 ? notice.owed : 1;
    const results = await Promise.all(Array.from({ length: deliveries }, () => this.send(callbackUrl, { body, signature: signature(this.secret, body, Date.now()) })));
    const taken = results.filter((problem) => problem === null).length;
    const problem = results.find((one) => one !== null) ?? null;
    if (this.stopping.signal.aborted && taken === 0) return;
    const nowMs = Date.now();
    if (taken > 0) await this.book.write(() => this.notices.delivered(notice.id, taken, nowMs));
    if (problem === null) return;
    const delayMs = Math.min(backoffMaxMs, backoffFirstMs * 2 ** Math.min(notice.failures, 10));
    this.log.warn({ notice: notice.id, problem, failures: notice.failures + 1, delayMs }, 'a notice was not taken');
    await this.book.write(() => this.notices.failed(notice.id, nowMs + delayMs));
  }

  /** Null: answered 200; else why not. */
  private async send(callbackUrl: string, { body, signature: signed }: { body: string; signature: string }): Promise<string | null> {
    try {
      const answer = await request(callbackUrl, {
        method: 'POST',
        dispatcher: this.agent,
        headers: { 'content-type': 'application/json', 'x-signature': signed },
        body,
        signal: AbortSignal.any([this.stopping.signal, AbortSignal.timeout(deliveryTimeoutMs)]),
      });
      await answer.body.dump();
      return answer.statusCode === 200 ? null : `answered ${answer.statusCode}`;
    } catch (error) {
      return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    }
  }
}
