import { EventEmitter } from 'node:events';
import { Logger } from '@nestjs/common';
import amqp, { type ChannelModel, type RecoveringChannelModel } from 'amqplib';
import { errorText } from '../errors.js';

/** What a connection is for. A blocked publisher must not keep consumers from settling, nor requests from being answered. */
export type ConnectionRole = 'publish' | 'consume' | 'request';

// Two beats missed close the connection: a dead link is known within 20 s.
const HEARTBEAT_S = 10;
const CONNECT_TIMEOUT_MS = 5_000;
const CLOSE_TIMEOUT_MS = 2_000;

interface ConnectionEvents {
  up: [model: ChannelModel];
  down: [];
  blocked: [];
  unblocked: [];
}

/** One broker connection that comes back by itself. It buffers nothing: what is in flight when it breaks is lost, and said so by its owner. */
export class AmqpConnection extends EventEmitter<ConnectionEvents> {
  /** The connection of now, undefined while there is none. */
  model: ChannelModel | undefined;
  /** The broker refuses publishes on this connection (memory or disk alarm). */
  blocked = false;
  private readonly logger: Logger;
  private recovering: RecoveringChannelModel | undefined;
  private closed = false;
  private lastError = '';

  /** @param name shown by the broker as the connection's name */
  constructor(private readonly url: string, private readonly name: string) {
    super();
    this.setMaxListeners(0);
    this.logger = new Logger(`amqp ${name}`);
  }

  /** Begins to connect and returns; the broker may be down for as long as it likes. */
  start(): void {
    if (this.recovering || this.closed) return;
    void this.open().catch((error: unknown) => this.logger.error(errorText(error)));
  }

  /** Replaces the connection, for the case that it died without a word. */
  restart(model: ChannelModel): void {
    if (this.model !== model || this.closed) return;
    this.logger.warn('the connection is replaced');
    const old = this.recovering;
    this.recovering = undefined;
    this.lost();
    void old?.close().catch(() => undefined); // it is dead already: there is nobody to tell
    this.start();
  }

  /** Closes for good; returns after two seconds at most, though the broker may not answer. */
  async close(): Promise<void> {
    this.closed = true;
    const old = this.recovering;
    this.recovering = undefined;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => { timer = setTimeout(resolve, CLOSE_TIMEOUT_MS); });
    // An error while closing says that it is closed.
    await Promise.race([old?.close().catch(() => undefined), timeout]);
    clearTimeout(timer);
    this.lost();
  }

  private async open(): Promise<void> {
    const url = new URL(this.url);
    url.searchParams.set('heartbeat', String(HEARTBEAT_S));
    const recovering = await amqp.connect(url.toString(), {
      noDelay: true, // with Nagle's algorithm on, a vector of requests waits 40 ms
      keepAlive: true,
      timeout: CONNECT_TIMEOUT_MS,
      clientProperties: { connection_name: this.name },
      recovery: {
        initialDelay: 100,
        maxDelay: 3_000,
        waitForConnect: false,
        // Until the recovery has bound its own listeners, an 'error' without a listener would end the process.
        setup: async (model: ChannelModel) => { model.on('error', (error) => this.report(error)); },
      },
    });
    if (this.closed) return recovering.close();
    this.recovering = recovering;
    const mine = () => this.recovering === recovering;
    recovering.on('error', (error) => this.report(error));
    recovering.on('connect-failed', (error) => this.report(error));
    recovering.on('connect', (model) => { if (mine()) this.connected(model); });
    recovering.on('disconnect', (error) => { if (mine()) { this.report(error); this.lost(); } });
    recovering.on('blocked', (reason) => { if (mine()) this.block(reason); });
    recovering.on('unblocked', () => { if (mine()) this.unblock(); });
  }

  private connected(model: ChannelModel): void {
    if (this.lastError) this.logger.log('connected again');
    this.lastError = '';
    this.blocked = false;
    this.model = model;
    this.emit('up', model);
  }

  private lost(): void {
    if (!this.model) return;
    this.model = undefined;
    this.blocked = false;
    this.emit('down');
  }

  private block(reason: string): void {
    this.logger.warn(`blocked by the broker: ${reason}`);
    this.blocked = true;
    this.emit('blocked');
  }

  private unblock(): void {
    this.logger.log('unblocked by the broker');
    this.blocked = false;
    this.emit('unblocked');
  }

  /** The same refusal returns with every attempt to connect; once is news. */
  private report(error: unknown): void {
    const text = errorText(error);
    if (text !== this.lastError && !this.closed) this.logger.warn(text);
    this.lastError = text;
  }
}
