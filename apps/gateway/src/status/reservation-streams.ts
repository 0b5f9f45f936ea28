import type { ServerResponse } from 'node:http';
import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { refuse, type Refusal, type ReservationView } from '@floodgate/contracts';
import { Shutdown, errorText } from '@floodgate/platform';
import type { FastifyReply } from 'fastify';
import type { Call } from '../openapi/operation.decorator.js';
import { Switches } from '../switches/switches.js';
import { OrderNotices } from './order-notices.js';
import { ReservationReader } from './reservation-reader.js';

export const streaming = {
  heartbeatMs: 15_000,
  /** A reader that lets this much pile up is gone. */
  unreadBytesMax: 65_536,
} as const;

/** Server-sent events about reservations: what is read from Postgres is the truth, notices and heartbeats only say when to read. */
@Injectable()
export class ReservationStreams implements OnModuleInit, OnModuleDestroy {
  private readonly streams = new Set<ReservationStream>();
  private readonly perAccount = new Map<string, number>();
  private stopped = false;

  constructor(private readonly reader: ReservationReader, private readonly notices: OrderNotices, private readonly shutdown: Shutdown, private readonly switches: Switches) {}

  onModuleInit(): void {
    this.shutdown.onIntake('event streams', () => this.onModuleDestroy());
  }

  /** Ends every stream; the clients come back with their last version, to another gateway. */
  onModuleDestroy(): void {
    this.stopped = true;
    for (const stream of this.streams) stream.end();
  }

  /** Opens the stream on the reply's socket. @returns the refusal, if there is nothing to follow */
  async open({ path, headers, actor, reply }: Call): Promise<Refusal | null> {
    const rid = path['id'] ?? '';
    const { accountId } = actor;
    if (this.stopped) return refuse('UNAVAILABLE', 'This gateway is stopping.');
    if (this.streams.size >= this.switches.values['streams.open-max']) return refuse('OVERLOADED', 'Too many streams are open; poll instead.');
    if ((this.perAccount.get(accountId) ?? 0) >= this.switches.values['streams.per-account-max']) return refuse('RATE_LIMITED', 'Too many streams of this account are open.', { scope: 'account' });
    const stream = new ReservationStream(() => this.reader.read(rid, accountId));
    // Listening begins before the first read: what changes in between is told twice rather than never.
    const unwatch = this.notices.watch(rid, (version) => stream.hint(version));
    this.count(accountId, 1);
    stream.onEnd = () => {
      unwatch();
      this.count(accountId, -1);
      this.streams.delete(stream);
    };
    this.streams.add(stream);
    return stream.start(reply, headers['last-event-id']);
  }

  private count(accountId: string, by: number): void {
    const count = (this.perAccount.get(accountId) ?? 0) + by;
    if (count > 0) this.perAccount.set(accountId, count);
    else this.perAccount.delete(accountId);
  }
}

/** One client's stream: reads one after the other, and sends only higher versions. */
class ReservationStream {
  private static readonly logger = new Logger('ReservationStream');
  onEnd: () => void = () => undefined;
  private response: ServerResponse | null = null;
  private sentVersion = -1;
  private hintedVersion = -1;
  private reading = false;
  private ended = false;
  private heartbeat: NodeJS.Timeout | null = null;

  constructor(private readonly read: () => Promise<{ ok: true; value: ReservationView } | Refusal>) {}

  async start(reply: FastifyReply, lastEventId: string | undefined): Promise<Refusal | null> {
    const first = await this.firstRead();
    if (!first.ok || this.ended) {
      this.end();
      return first.ok ? refuse('UNAVAILABLE', 'This gateway is stopping.') : first;
    }
    this.takeOver(reply);
    if (lastEventId === String(first.value.version)) this.skip(first.value);
    else this.show(first.value);
    if (this.hintedVersion > this.sentVersion) void this.readAgain();
    return null;
  }

  /** A notice said that this version exists. */
  hint(version: number): void {
    this.hintedVersion = Math.max(this.hintedVersion, version);
    if (this.response && version > this.sentVersion) void this.readAgain();
  }

  end(): void {
    if (this.ended) return;
    this.ended = true;
    if (this.heartbeat) clearInterval(this.heartbeat);
    this.onEnd();
    this.response?.end();
  }

  private async firstRead(): Promise<{ ok: true; value: ReservationView } | Refusal> {
    try {
      return await this.read();
    } catch (error) {
      // The counts must not leak, whatever broke.
      this.end();
      throw error;
    }
  }

  private takeOver(reply: FastifyReply): void {
    reply.hijack();
    const response = reply.raw;
    this.response = response;
    response.on('close', () => this.end());
    // A write after the client has gone; `close` follows.
    response.on('error', () => this.end());
    response.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream; charset=utf-8',
      // Proxies that buffer would keep the news to themselves.
      'x-accel-buffering': 'no',
    });
    response.flushHeaders();
    this.heartbeat = setInterval(() => this.beat(), streaming.heartbeatMs);
  }

  private beat(): void {
    this.write(': heartbeat\n\n');
    void this.readAgain();
  }

  /** Reads until nothing newer is hinted at. A read that fails is made up for at the next heartbeat. */
  private async readAgain(): Promise<void> {
    if (this.reading || this.ended) return;
    this.reading = true;
    try {
      let readVersion: number;
      do {
        readVersion = this.hintedVersion;
        const answer = await this.read();
        if (answer.ok) this.show(answer.value);
      } while (!this.ended && this.hintedVersion > readVersion);
    } catch (error) {
      // An outage is a refusal; this is a bug. The stream goes on, the next heartbeat reads again.
      ReservationStream.logger.error(errorText(error));
    } finally {
      this.reading = false;
    }
  }

  private show(view: ReservationView): void {
    if (this.ended || view.version <= this.sentVersion) return;
    this.sentVersion = view.version;
    this.write(`id: ${view.version}\nevent: reservation\ndata: ${JSON.stringify(view)}\n\n`);
    if (view.terminal) this.end();
  }

  /** The client has this version already. */
  private skip(view: ReservationView): void {
    this.sentVersion = view.version;
    if (view.terminal) this.end();
  }

  private write(text: string): void {
    if (this.ended || !this.response) return;
    this.response.write(text);
    if (this.response.writableLength > streaming.unreadBytesMax) this.response.destroy();
  }
}
