import { Logger } from '@nestjs/common';
import type { QueueConsumer } from './queue.consumer.js';
import type { QueueInspector } from './queue.inspector.js';

const CHECK_MS = 10_000;
/** Messages wait and none comes, for so long: the subscription is dead though it looks alive. */
const SILENT_MS = 30_000;
/** Longer than any handler may take (the longest waits 15 s for queues to drain, and repeats). */
const HUNG_MS = 300_000;

/** Finds consumers that live in name only; the first remedy is a new channel, the second a restart (liveness). */
export class ConsumerWatchdog {
  private readonly logger = new Logger('ConsumerWatchdog');
  private readonly suspects = new Map<QueueConsumer, { deliveries: number; strikes: number }>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly consumers: readonly QueueConsumer[], private readonly inspector: QueueInspector) {}

  start(): void {
    this.timer = setInterval(() => void this.check(), CHECK_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** False: a consumer stayed silent after its channel was replaced, or a handler never returned. */
  alive(): boolean {
    return this.consumers.every((consumer) => (this.suspects.get(consumer)?.strikes ?? 0) < 2 && consumer.silence.oldestRunMs < HUNG_MS);
  }

  /** One round; with another limit, for tests. */
  async check(silentMs: number = SILENT_MS): Promise<void> {
    await Promise.all(this.consumers.map((consumer) => this.checkOne(consumer, silentMs)));
  }

  private async checkOne(consumer: QueueConsumer, silentMs: number): Promise<void> {
    const suspect = this.suspects.get(consumer);
    if (suspect && suspect.deliveries !== consumer.deliveries) this.suspects.delete(consumer);
    const queue = consumer.subscribedQueue;
    // Unsubscribed: its channel's own recovery, or a pause, is under way. Unsettled: it is busy, `HUNG_MS` bounds that.
    if (!queue || consumer.unsettled > 0 || consumer.silence.sinceDeliveryMs < silentMs) return;
    const { deliveries } = consumer;
    const ready = await this.inspector.ready(queue).catch(() => 0); // no link or no queue: the channel's recovery deals with that
    if (ready === 0 || consumer.deliveries !== deliveries) return;
    const strikes = (this.suspects.get(consumer)?.strikes ?? 0) + 1;
    this.suspects.set(consumer, { deliveries, strikes });
    this.logger.error(`${consumer.spec.name}: ${ready} wait and none was delivered for ${silentMs} ms (${strikes})`);
    if (strikes === 1) consumer.resubscribe();
  }
}
