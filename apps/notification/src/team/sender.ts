import { createLogger, Database, errorText, OutboundClient, OutboundFailedError, OutboundRefusedError } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { Mailer } from '../channels/mailer.js';
import { mailLimits, mailBytesMax, type Robot, type RateLimit, type Sent, type TeamMessage } from '../channels/team-channel.js';
import { isRobotKind, robots } from '../robots/robots.js';
import { ChannelStore, type SavedChannel } from './channel.store.js';
import { combine } from './combine.js';
import { TeamMessageStore } from './team-message.store.js';

/** Sends what waits, one message for each channel at a time, as fast as that channel allows. */
@Injectable()
export class Sender {
  private readonly log = createLogger('team');

  constructor(
    private readonly database: Database,
    private readonly channels: ChannelStore,
    private readonly messages: TeamMessageStore,
    private readonly outbound: OutboundClient,
    private readonly mailer: Mailer,
  ) {}

  /** Sends to every channel that may be sent to now. Those that fail are tried again later, and hold up nobody else. */
  async sendAll(): Promise<void> {
    for (let due = true; due;) due = await this.sendNext(null);
  }

  /**
   * One message with everything that waits for one channel. After a crash between the robot's answer and the note of it, it is sent again:
   * the team may hear something twice, but never nothing.
   * @param name this one, or null for whichever is due
   * @returns false where nothing is due
   */
  async sendNext(name: string | null): Promise<boolean> {
    const channel = await this.channels.claim(name);
    if (!channel) return false;
    const pending = await this.messages.pendingOf(channel.name);
    if (pending.length === 0) return true;
    const { limits, bytesMax } = limitsOf(channel.kind);
    const sent = await this.send(channel, combine(pending, bytesMax));
    if (!sent.ok) {
      this.log.warn({ channel: channel.name, kind: channel.kind, waiting: pending.length }, `a message to the team was not taken and is tried again: ${sent.error}`);
      await this.channels.noteFailed(channel.name, sent.error, sent.waitMs ?? null);
      return true;
    }
    await this.database.transaction(async (tx) => {
      await this.messages.noteSent(tx, pending.map(({ id }) => id));
      await this.channels.noteSent(tx, channel.name, limits);
    });
    return true;
  }

  private async send(channel: SavedChannel, message: TeamMessage): Promise<Sent> {
    try {
      if (!isRobotKind(channel.kind)) return await this.mailer.tell(channel.url, message);
      const robot: Robot = robots[channel.kind];
      const { url, headers, body } = robot.write(message, channel, Date.now());
      return robot.read(await this.outbound.request(url, { method: 'POST', headers, body }));
    } catch (error) {
      if (error instanceof OutboundRefusedError || error instanceof OutboundFailedError) return { ok: false, error: errorText(error) };
      this.log.error({ err: error, channel: channel.name }, 'a message to the team could not be written');
      return { ok: false, error: 'internal error' };
    }
  }
}

const limitsOf = (kind: string): { limits: readonly RateLimit[]; bytesMax: number } =>
  isRobotKind(kind) ? robots[kind] : { limits: mailLimits, bytesMax: mailBytesMax };
