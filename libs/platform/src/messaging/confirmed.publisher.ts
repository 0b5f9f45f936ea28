import type { ConfirmChannel, Options } from 'amqplib';
import { crashPoint } from '../crash-points.js';
import { PublishError, type PublishErrorCode } from '../errors.js';
import { confirmSeconds, publishesPending } from '../telemetry/metrics.js';
import { Broker } from './broker.js';
import { KeptChannel } from './kept.channel.js';
import { QUEUE_REST_MS, declareTopology } from './topology.declaration.js';

export const PUBLISH_TIMEOUT_MS = 5_000;
// Above this the broker is not keeping up; who publishes must hear of it rather than fill the memory.
const PENDING_MAX = 5_000;
// A return says that a queue or a binding is missing. Not declared again at once: see QUEUE_REST_MS.
const REDECLARE_MS = 2 * QUEUE_REST_MS;
/** Correlates a return with its publish. The message id cannot: the same message may be published again while the first is under way. */
const SEQUENCE_HEADER = 'publish-seq';

interface Pending {
  resolve: () => void;
  reject: (error: PublishError) => void;
  timer: NodeJS.Timeout;
  what: string;
  sinceMs: number;
}

/** Bytes to an exchange, confirmed and routed, or an error that says what is known. Buffers nothing while the broker is away. */
export class ConfirmedPublisher {
  private readonly kept: KeptChannel<ConfirmChannel>;
  private readonly pending = new Map<number, Pending>();
  private sequence = 0;
  private redeclaring: NodeJS.Timeout | undefined;

  constructor(private readonly broker: Broker, private readonly pendingMax: number = PENDING_MAX) {
    this.kept = new KeptChannel<ConfirmChannel>(broker.publish, 'confirm', {
      name: 'publish',
      setup: async (channel) => {
        channel.on('return', (message) => {
          this.settle(Number(message.properties.headers?.[SEQUENCE_HEADER]), 'UNROUTABLE');
          this.redeclare();
        });
        await this.declare();
      },
      lost: () => {
        for (const sequence of [...this.pending.keys()]) this.settle(sequence, 'CLOSED');
      },
    });
  }

  get state(): 'up' | 'blocked' | 'down' {
    if (!this.kept.channel) return 'down';
    return this.broker.publish.blocked ? 'blocked' : 'up';
  }

  get pendingCount(): number {
    return this.pending.size;
  }

  /** Resolves when the broker has taken responsibility; rejects {@link PublishError}. `what` names it in errors. */
  send(target: { exchange: string; routingKey: string }, content: Buffer, properties: Options.Publish, options: { what: string; timeoutMs?: number }): Promise<void> {
    const channel = this.kept.channel;
    const refusal = this.refusal();
    if (!channel || refusal) return Promise.reject(new PublishError(refusal ?? 'NOT_CONNECTED', options.what));
    const sequence = ++this.sequence;
    return new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => this.settle(sequence, 'TIMEOUT'), options.timeoutMs ?? PUBLISH_TIMEOUT_MS);
      this.pending.set(sequence, { resolve, reject, timer, what: options.what, sinceMs: performance.now() });
      publishesPending.set(this.pending.size);
      const headers = { ...(properties.headers as Record<string, unknown>), [SEQUENCE_HEADER]: sequence };
      try {
        channel.publish(target.exchange, target.routingKey, content, { persistent: true, ...properties, mandatory: true, headers }, (error: Error | null) => {
          crashPoint('confirm.before');
          // A return comes before its confirm, so what is still pending here was routed.
          this.settle(sequence, error === null ? null : error.message === 'message nacked' ? 'NACKED' : 'CLOSED');
        });
      } catch {
        // The channel refuses before it writes: it is closed, and nothing has left.
        this.settle(sequence, 'NOT_CONNECTED');
      }
    });
  }

  /** Waits until every publish under way has an outcome (each has its own timer), then closes. */
  async close(): Promise<void> {
    const outcomes = [...this.pending.values()].map((pending) => new Promise<void>((resolve) => {
      const { resolve: done, reject: failed } = pending;
      pending.resolve = () => { done(); resolve(); };
      pending.reject = (error) => { failed(error); resolve(); };
    }));
    await Promise.all(outcomes);
    clearTimeout(this.redeclaring);
    await this.kept.close();
  }

  private refusal(): PublishErrorCode | null {
    if (!this.kept.channel) return 'NOT_CONNECTED';
    if (this.broker.publish.blocked) return 'BLOCKED';
    return this.pending.size >= this.pendingMax ? 'OVERLOADED' : null;
  }

  private settle(sequence: number, failure: PublishErrorCode | null): void {
    const pending = this.pending.get(sequence);
    if (!pending) return;
    this.pending.delete(sequence);
    publishesPending.set(this.pending.size);
    clearTimeout(pending.timer);
    if (failure) pending.reject(new PublishError(failure, pending.what));
    else {
      confirmSeconds.observe((performance.now() - pending.sinceMs) / 1_000);
      pending.resolve();
    }
  }

  /** On a channel of its own: a declaration that the broker refuses closes the channel it came on. */
  private async declare(): Promise<void> {
    const channel = await this.broker.publish.model?.createChannel();
    if (!channel) return;
    channel.on('error', () => undefined); // the refused declaration rejects with the same error
    await declareTopology(channel, this.broker.names);
    await channel.close();
  }

  private redeclare(): void {
    this.redeclaring ??= setTimeout(() => {
      this.redeclaring = undefined;
      // Refused: the publisher's channel starts anew and reports it, until somebody repairs the broker.
      this.declare().catch(() => this.kept.reopen());
    }, REDECLARE_MS);
  }
}
