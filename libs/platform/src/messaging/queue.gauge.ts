import type { QueueName } from '@floodgate/contracts';
import { queueMessages } from '../telemetry/metrics.js';
import type { BrokerNames } from './topology.declaration.js';
import type { QueueInspector } from './queue.inspector.js';

/** A look at a queue is six small questions to the broker; at this pace all queues together are a few a second. */
const EVERY_MS = 5_000;

interface Depth {
  ready: number;
  retrying: number;
  dead: number;
}

/** How much lies in the queues that this process consumes, for whoever watches. What could not be asked is not shown: an old figure would be a wrong one. */
export class QueueGauge {
  private readonly depths = new Map<QueueName, Depth>();
  private timer: NodeJS.Timeout | undefined;
  private measuring: Promise<void> | undefined;

  constructor(private readonly queues: readonly QueueName[], private readonly names: BrokerNames, private readonly inspector: QueueInspector) {}

  start(): void {
    this.timer = setInterval(() => void this.measure(), EVERY_MS);
    this.timer.unref();
    queueMessages.read = () => this.read();
  }

  stop(): void {
    clearInterval(this.timer);
    this.depths.clear();
  }

  /** One round; joins the one under way. */
  measure(): Promise<void> {
    this.measuring ??= this.measureAll().finally(() => {
      this.measuring = undefined;
    });
    return this.measuring;
  }

  private async measureAll(): Promise<void> {
    for (const queue of this.queues) {
      const depth = await this.depthOf(queue).catch(() => null); // no link: the publisher's state says so
      if (depth) this.depths.set(queue, depth);
      else this.depths.delete(queue);
    }
  }

  private async depthOf(queue: QueueName): Promise<Depth> {
    const { names, inspector } = this;
    const tiers = names.retryDelays.map((delayMs) => names.retry(queue, delayMs));
    const [ready, dead, ...waiting] = await Promise.all([names.queue(queue), names.dead(queue), ...tiers].map((name) => inspector.ready(name)));
    return { ready: ready ?? 0, dead: dead ?? 0, retrying: waiting.reduce((sum, count) => sum + count, 0) };
  }

  private *read(): Generator<[{ queue: string; kind: string }, number]> {
    for (const [queue, depth] of this.depths) {
      for (const [kind, count] of Object.entries({ ...depth, unsettled: this.inspector.unsettled(queue) })) yield [{ queue, kind }, count];
    }
  }
}
