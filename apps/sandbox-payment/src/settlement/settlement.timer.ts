import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { createLogger } from '@floodgate/platform';
import { Book } from '../book/book.js';
import { PaymentStore } from '../book/payment.store.js';
import { CallbackRelay } from '../callback/callback.relay.js';
import { DueTimer } from './due-timer.js';

/** One commit settles at most this many, so that requests are not kept waiting behind a backlog found at start. */
const batchMax = 500;
const retryMs = 1_000;

/** Makes delayed decisions and expiries happen when they are due, those that fell due while the process was dead at its start. */
@Injectable()
export class SettlementTimer implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly log = createLogger('settlement');
  private readonly timer = new DueTimer(() => void this.settleDue());

  constructor(
    private readonly book: Book,
    private readonly payments: PaymentStore,
    private readonly callbacks: CallbackRelay,
  ) {}

  onApplicationBootstrap(): void {
    this.timer.wakeAt(Date.now());
  }

  beforeApplicationShutdown(): void {
    this.timer.stop();
  }

  /** A payment may be due earlier than was known. */
  wakeAt(atMs: number): void {
    this.timer.wakeAt(atMs);
  }

  private async settleDue(): Promise<void> {
    try {
      const nowMs = Date.now();
      await this.book.write(() => this.payments.due(nowMs, batchMax).forEach((payment) => this.payments.advance(payment, nowMs)));
      this.callbacks.wake();
      this.timer.wakeAt(this.payments.nextDueMs());
    } catch (error) {
      this.log.error({ err: error }, 'settling due payments failed, trying again');
      this.timer.wakeAt(Date.now() + retryMs);
    }
  }
}
