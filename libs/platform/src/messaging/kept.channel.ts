import { Logger } from '@nestjs/common';
import type { Channel, ChannelModel, ConfirmChannel } from 'amqplib';
import { errorText } from '../errors.js';
import { aside } from '../telemetry/work.js';
import type { AmqpConnection } from './amqp.connection.js';

const REOPEN_MS = { min: 50, max: 3_000 };
// A connection on which no channel opens five times in a row is dead, whatever it says.
const SUSPECT_AFTER = 5;

export interface KeptChannelOptions<C extends Channel> {
  name: string;
  /** Runs on every new channel before it counts as open; `current` turns false as soon as another channel has taken over. */
  setup?: (channel: C, current: () => boolean) => Promise<void>;
  /** The channel is gone: what was in flight on it has an unknown fate. Called once per channel that was opened. */
  lost?: () => void;
}

/**
 * A channel that is opened again whenever it or its connection breaks. Every opening has a generation number: the reconnect and
 * the channel's own close both ask for a new one, and only the newest may go on, so nothing is ever subscribed twice.
 */
export class KeptChannel<C extends Channel = Channel> {
  /** The channel of now, undefined while there is none. */
  channel: C | undefined;
  private readonly logger: Logger;
  private generation = 0;
  private opening: C | undefined;
  private failures = 0;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;
  private lastError = '';

  constructor(private readonly connection: AmqpConnection, private readonly kind: 'plain' | 'confirm', private readonly options: KeptChannelOptions<C>) {
    this.logger = new Logger(`channel ${options.name}`);
    connection.on('up', this.open);
    connection.on('down', this.drop);
    if (connection.model) this.open();
  }

  /** Throws the channel away and opens another, at once or later. */
  reopen(afterMs = 0): void {
    const old = this.channel ?? this.opening;
    this.drop();
    closeQuietly(old);
    if (this.closed) return;
    if (afterMs > 0) this.timer = setTimeout(this.open, afterMs);
    else this.open();
  }

  /** Closes for good, after what was sent on it has left. */
  async close(): Promise<void> {
    this.closed = true;
    this.connection.off('up', this.open);
    this.connection.off('down', this.drop);
    const old = this.channel ?? this.opening;
    this.drop();
    // A channel that cannot be closed is closed.
    await old?.close().catch(() => undefined);
  }

  private readonly open = (): void => {
    void aside(() => this.tryToOpen());
  };

  private readonly drop = (): void => {
    this.generation++;
    clearTimeout(this.timer);
    this.opening = undefined;
    if (!this.channel) return;
    this.channel = undefined;
    this.options.lost?.();
  };

  private async tryToOpen(): Promise<void> {
    const model = this.connection.model;
    if (!model || this.closed) return;
    this.drop();
    const generation = this.generation;
    const current = () => generation === this.generation;
    let channel: C | undefined;
    try {
      channel = await this.create(model, current);
      if (current()) await this.options.setup?.(channel, current);
      if (!current()) return closeQuietly(channel);
      this.opening = undefined;
      this.channel = channel;
      if (this.lastError) this.logger.log('open again');
      this.lastError = '';
      this.failures = 0;
    } catch (error) {
      this.report(error);
      if (!current()) return;
      closeQuietly(channel);
      if (++this.failures % SUSPECT_AFTER === 0) this.connection.restart(model);
      this.openLater();
    }
  }

  private async create(model: ChannelModel, current: () => boolean): Promise<C> {
    const channel = await (this.kind === 'confirm' ? model.createConfirmChannel() : model.createChannel());
    // Without a listener a channel's error would take the connection, and with it all other channels.
    channel.on('error', (error) => this.report(error));
    channel.once('close', () => {
      if (!current()) return;
      this.drop();
      this.openLater();
    });
    if (current()) this.opening = channel as C;
    return channel as C;
  }

  private openLater(): void {
    this.drop();
    if (this.closed) return;
    this.timer = setTimeout(this.open, Math.min(REOPEN_MS.min * 2 ** Math.min(this.failures, 6), REOPEN_MS.max));
  }

  private report(error: unknown): void {
    const text = errorText(error);
    if (text !== this.lastError && !this.closed) this.logger.warn(text);
    this.lastError = text;
  }
}

/** A channel that cannot be closed is closed. */
function closeQuietly(channel: Channel | undefined): void {
  void channel?.close().catch(() => undefined);
}

export type KeptConfirmChannel = KeptChannel<ConfirmChannel>;
