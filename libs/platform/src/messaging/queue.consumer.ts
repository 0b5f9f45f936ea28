import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { Channel, ConsumeMessage } from 'amqplib';
import { errorText } from '../errors.js';
import type { AmqpConnection } from './amqp.connection.js';
import { KeptChannel } from './kept.channel.js';
import { QUEUE_REST_MS } from './topology.declaration.js';

const PAUSE_MS = { min: 250, max: 5_000 };

/** One channel's time with the queue. Messages can be settled only on the channel that delivered them. */
interface Session {
  channel: Channel;
  queue: string;
  open: boolean;
  tag: string | undefined;
}

/** A delivered message until it is settled. */
export interface Received {
  message: ConsumeMessage;
  session: Session;
  settled: boolean;
}

/**
 * Works through a batch, calling `ack` for each message whose fate is sealed. When it throws, what is not acknowledged goes back to
 * the queue and the consumer pauses.
 */
export type BatchRunner = (batch: Received[], ack: (received: Received) => void) => Promise<void>;

export interface ConsumerSpec {
  /** For logs. */
  name: string;
  /** Declares what is to be consumed and returns the queue's name; runs on every new channel, before it subscribes. */
  declare: (channel: Channel) => Promise<string>;
  prefetch: number;
  sizeMax: number;
  waitMs: number;
  concurrency: number;
  run: BatchRunner;
  /** While paused: is what was missing back? Without it, trying again is the probe. */
  probe?: () => boolean | Promise<boolean>;
}

/**
 * Consumes one queue on one channel: collects batches, runs them, pauses when a server is away, comes back after every break, and
 * drains on stop.
 */
export class QueueConsumer {
  /** Messages ever delivered here. */
  deliveries = 0;
  private readonly logger: Logger;
  private readonly kept: KeptChannel;
  private state: 'flowing' | 'paused' | 'stopped' = 'flowing';
  private session: Session | undefined;
  private buffer: Received[] = [];
  private readonly runningSince = new Map<number, number>();
  private runs = 0;
  private runningMessages = 0;
  private pauses = 0;
  private batchTimer: NodeJS.Timeout | undefined;
  private resumeTimer: NodeJS.Timeout | undefined;
  private idle: (() => void) | undefined;
  private deliveredAtMs = performance.now();

  constructor(connection: AmqpConnection, readonly spec: ConsumerSpec) {
    this.logger = new Logger(`consumer ${spec.name}`);
    this.kept = new KeptChannel(connection, 'plain', { name: spec.name, setup: (channel) => this.begin(channel), lost: () => this.discard() });
  }

  /** Subscribed, or paused on purpose. */
  get ready(): boolean {
    return this.kept.channel !== undefined && (this.state === 'paused' || this.session?.tag !== undefined);
  }

  get paused(): boolean {
    return this.state === 'paused';
  }

  /** The queue's name of now, for the watchdog; undefined while nothing is subscribed. */
  get subscribedQueue(): string | undefined {
    return this.kept.channel && this.session?.tag ? this.session.queue : undefined;
  }

  /** Messages delivered to this process and not settled yet. */
  get unsettled(): number {
    return this.buffer.length + this.runningMessages;
  }

  /** Milliseconds since the last delivery (or subscription), and since the oldest handler call still running began. */
  get silence(): { sinceDeliveryMs: number; oldestRunMs: number } {
    const now = performance.now();
    return { sinceDeliveryMs: now - this.deliveredAtMs, oldestRunMs: now - Math.min(now, ...this.runningSince.values()) };
  }

  /** Throws the channel away and subscribes anew. */
  resubscribe(): void {
    this.kept.reopen();
  }

  /**
   * Takes no more, finishes what has been delivered, settles it, and closes.
   * @param deadlineMs after it, what is unfinished goes back to the queue
   */
  async stop(deadlineMs: number): Promise<void> {
    this.state = 'stopped';
    clearTimeout(this.resumeTimer);
    const deadline = new Promise<void>((resolve) => { setTimeout(resolve, deadlineMs).unref(); });
    await Promise.race([this.unsubscribe(), deadline]);
    this.pump(true);
    if (this.unsettled > 0) await Promise.race([new Promise<void>((resolve) => { this.idle = resolve; }), deadline]);
    clearTimeout(this.batchTimer);
    await Promise.race([this.kept.close(), deadline]);
  }

  private async begin(channel: Channel): Promise<void> {
    const queue = await this.spec.declare(channel);
    await channel.prefetch(this.spec.prefetch);
    const session: Session = { channel, queue, open: true, tag: undefined };
    channel.once('close', () => { session.open = false; });
    this.session = session;
    if (this.state === 'flowing') await this.subscribe(session);
  }

  private async subscribe(session: Session): Promise<void> {
    session.tag = randomUUID();
    this.deliveredAtMs = performance.now();
    await session.channel.consume(session.queue, (message) => {
      if (message) return this.receive({ message, session, settled: false });
      this.logger.warn('cancelled by the broker: declared and subscribed anew');
      this.kept.reopen(QUEUE_REST_MS);
    }, { consumerTag: session.tag });
  }

  private async unsubscribe(): Promise<void> {
    const { session } = this;
    if (!session?.tag) return;
    const { tag } = session;
    session.tag = undefined;
    // Refused: the channel is gone, and the subscription with it.
    await session.channel.cancel(tag).catch(() => undefined);
  }

  private receive(received: Received): void {
    this.deliveredAtMs = performance.now();
    this.deliveries++;
    if (this.state === 'paused') return this.giveBack(received);
    this.buffer.push(received);
    this.pump(false);
  }

  /** Starts as many batches as may run. `due`: whatever is there is a batch, be it small. */
  private pump(due: boolean): void {
    while (this.buffer.length > 0 && this.runningSince.size < this.spec.concurrency) {
      if (!due && this.buffer.length < this.spec.sizeMax && this.spec.waitMs > 0) {
        this.batchTimer ??= setTimeout(() => {
          this.batchTimer = undefined;
          this.pump(true);
        }, this.spec.waitMs);
        return;
      }
      const batch = this.buffer.splice(0, this.spec.sizeMax).filter(({ session }) => session.open);
      if (batch.length > 0) void this.run(batch);
    }
    if (this.buffer.length === 0) {
      clearTimeout(this.batchTimer);
      this.batchTimer = undefined;
    }
  }

  private async run(batch: Received[]): Promise<void> {
    const id = ++this.runs;
    this.runningSince.set(id, performance.now());
    this.runningMessages += batch.length;
    try {
      await this.spec.run(batch, (received) => this.settle(received, 'ack'));
      this.pauses = 0;
    } catch (error) {
      // First the cancel, then the messages: the broker must not deliver them here again.
      this.pause(error);
      for (const received of batch) this.giveBack(received);
    } finally {
      this.runningSince.delete(id);
      this.runningMessages -= batch.length;
      this.pump(true);
      if (this.unsettled === 0) this.idle?.();
    }
  }

  private pause(error: unknown): void {
    if (this.state !== 'flowing') return;
    this.state = 'paused';
    this.logger.warn(`paused: ${errorText(error)}`);
    void this.unsubscribe();
    for (const received of this.buffer.splice(0)) this.giveBack(received);
    this.resumeLater();
  }

  private resumeLater(): void {
    const delayMs = Math.min(PAUSE_MS.min * 2 ** Math.min(this.pauses++, 6), PAUSE_MS.max);
    this.resumeTimer = setTimeout(() => void this.resume(), delayMs);
  }

  private async resume(): Promise<void> {
    let back: boolean;
    try {
      back = (await this.spec.probe?.()) ?? true;
    } catch {
      back = false; // a probe that throws says that it is not back
    }
    if (this.state !== 'paused') return;
    if (!back) return this.resumeLater();
    this.state = 'flowing';
    this.logger.log('resumed');
    // While a channel is being set up, its setup subscribes.
    if (!this.kept.channel || !this.session) return;
    await this.subscribe(this.session).catch(() => this.kept.reopen());
  }

  private giveBack(received: Received): void {
    this.settle(received, 'nack');
  }

  private settle(received: Received, how: 'ack' | 'nack'): void {
    if (received.settled) return;
    received.settled = true;
    const { session, message } = received;
    if (!session.open) return; // the broker has it back already and delivers it again
    try {
      if (how === 'ack') session.channel.ack(message);
      else session.channel.nack(message, false, true);
    } catch {
      // The channel is closing: as above.
    }
  }

  private discard(): void {
    this.buffer = [];
    this.session = undefined;
    if (this.unsettled === 0) this.idle?.();
  }
}
