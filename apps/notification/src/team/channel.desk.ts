import { randomUUID } from 'node:crypto';
import { accept, refuse, type ChannelView, type Outcome, type Page, type Refusal } from '@floodgate/contracts';
import { Database, isoTime, Outbox, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { ChannelStore, type ChannelRow, type SavedChannel } from './channel.store.js';
import { Sender } from './sender.js';
import { TeamMessageStore } from './team-message.store.js';

/** How long an operator waits for a test while another message is under way. */
const looksMax = 20;
const lookMs = 250;

/** What operators do about the channels. Whoever asks sees of a URL where it leads and nothing of its key. */
@Injectable()
export class ChannelDesk {
  constructor(
    private readonly database: Database,
    private readonly channels: ChannelStore,
    private readonly messages: TeamMessageStore,
    private readonly sender: Sender,
    private readonly outbox: Outbox,
  ) {}

  /** By name; the cursor is the last name of the page before. */
  async list(limit: number, cursor: string | null): Promise<Outcome<Page<ChannelView>>> {
    const rest = (await this.channels.list()).filter(({ name }) => cursor === null || name > cursor);
    const page = rest.slice(0, limit);
    return accept({ items: page.map(viewOf), nextCursor: rest.length > limit ? page.at(-1)?.name ?? null : null });
  }

  /** The caller has checked where it leads. */
  save(channel: SavedChannel, accountId: string): Promise<Outcome<ChannelView>> {
    return this.database.transaction(async (tx) => {
      const before = await this.channels.find(tx, channel.name);
      await this.channels.save(tx, channel, accountId);
      const after = (await this.channels.find(tx, channel.name))!;
      await this.noteAct(tx, { action: 'save-channel', accountId, subject: channel.name, before: before && logged(before), after: logged(after) });
      return accept(viewOf(after));
    });
  }

  remove(name: string, accountId: string): Promise<Outcome<null>> {
    return this.database.transaction(async (tx) => {
      const before = await this.channels.find(tx, name);
      if (!before || !(await this.channels.remove(tx, name))) return notFound();
      await this.noteAct(tx, { action: 'remove-channel', accountId, subject: name, before: logged(before), after: null });
      return accept(null);
    });
  }

  /** Sends a message at once, or as soon as the channel may be sent to again. */
  async test(name: string, accountId: string): Promise<Outcome<{ name: string; outcome: 'sent' | 'waiting'; error: string | null }>> {
    const occasion = `test:${randomUUID()}`;
    const known = await this.database.transaction(async (tx) => {
      if (!(await this.channels.find(tx, name))) return false;
      await this.messages.addFor(tx, name, { occasion, title: 'Floodgate: a test message', lines: [`This channel is ${name}. Alerts and digests will look like this.`], link: null });
      await this.noteAct(tx, { action: 'test-channel', accountId, subject: name, before: null, after: null });
      return true;
    });
    if (!known) return notFound();
    for (let look = 0; look < looksMax && !(await this.sender.sendNext(name)) && (await this.messages.isPending(name, occasion)); look++) {
      // Somebody is sending to this channel, or it may not be sent to yet.
      await new Promise((resolve) => { setTimeout(resolve, lookMs); });
    }
    const waiting = await this.messages.isPending(name, occasion);
    const row = await this.channels.find(this.database, name);
    return accept({ name, outcome: waiting ? 'waiting' : 'sent', error: waiting ? row?.lastError ?? null : null });
  }

  private noteAct(tx: Transaction, act: { action: string; accountId: string; subject: string; before: Record<string, unknown> | null; after: Record<string, unknown> | null }): Promise<void> {
    return this.outbox.add(tx, 'admin.acted', [{ ...act, reason: null, actId: randomUUID(), atMs: Date.now() }]);
  }
}

const notFound = (): Refusal => refuse('NOT_FOUND', 'There is no such channel.');
const timeOf = (date: Date | null): string | null => (date ? isoTime(date.getTime()) : null);

const viewOf = ({ url, savedAt, lastSentAt, ...row }: ChannelRow): ChannelView => ({ ...row, leadsTo: leadsTo(url), savedAt: isoTime(savedAt.getTime()), lastSentAt: timeOf(lastSentAt) });
/** What the operators' log keeps. */
const logged = ({ kind, url, signed, hears }: ChannelRow): Record<string, unknown> => ({ kind, leadsTo: leadsTo(url), signed, hears });
/** A mailbox is personal, and a robot's path and query are its key. */
const leadsTo = (url: string): string => new URL(url).host || `mail at ${url.split('@').at(-1)}`;
