import { Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import type { TeamMessage } from '../channels/team-channel.js';
import type { Topic } from './channel.store.js';

/** News for the team; `occasion` is the same however often they are told. */
export interface TeamNews extends TeamMessage {
  occasion: string;
}

/** Labels and titles of others may hold anything; Postgres takes no NUL, and a line break would look like a line of ours. */
const oneLine = (text: string): string => text.replaceAll(/\p{Cc}+/gu, ' ');

/** More would not fit into one message, and what is beyond it is sent with the next. */
const readMax = 500;

/** What the team is told, one row for each channel: pending until it was sent. */
@Injectable()
export class TeamMessageStore {
  constructor(private readonly database: Database) {}

  /** Keeps news for each channel that hears of the topic; those that it was told already are left out. @returns how many rows are new */
  async add(tx: Transaction, topic: Topic, news: readonly TeamNews[]): Promise<number> {
    let added = 0;
    for (const { occasion, title, lines, link } of news) {
      const rows = await tx.query(
        `INSERT INTO team_message (channel, occasion, title, lines, link) SELECT name, $2, $3, $4, $5 FROM channel WHERE $1 = ANY (hears)
         ON CONFLICT (channel, occasion) DO NOTHING RETURNING id`, [topic, occasion, oneLine(title), lines.map(oneLine), link]);
      added += rows.length;
    }
    return added;
  }

  /** News for one channel, whatever it hears of. */
  async addFor(tx: Transaction, channel: string, { occasion, title, lines, link }: TeamNews): Promise<void> {
    await tx.query('INSERT INTO team_message (channel, occasion, title, lines, link) VALUES ($1, $2, $3, $4, $5)', [channel, occasion, title, lines, link]);
  }

  /** Oldest first. */
  pendingOf(channel: string): Promise<(TeamMessage & { id: number })[]> {
    return this.database.query(`SELECT id, title, lines, link FROM team_message WHERE channel = $1 AND state = 'pending' ORDER BY id LIMIT ${readMax}`, [channel]);
  }

  async isPending(channel: string, occasion: string): Promise<boolean> {
    return (await this.database.query("SELECT FROM team_message WHERE channel = $1 AND occasion = $2 AND state = 'pending'", [channel, occasion])).length > 0;
  }

  async noteSent(tx: Transaction, ids: readonly number[]): Promise<void> {
    await tx.query("UPDATE team_message SET state = 'sent', settled_at = clock_timestamp() WHERE id = ANY ($1::bigint[]) AND state = 'pending'", [ids]);
  }

  /** What nobody took for a day is given up: it would only mislead. @returns how many by channel */
  giveUp(): Promise<{ channel: string; count: number }[]> {
    return this.database.query(
      `WITH old AS (UPDATE team_message SET state = 'given-up', settled_at = clock_timestamp() WHERE state = 'pending' AND created_at < clock_timestamp() - interval '1 day' RETURNING channel)
       SELECT channel, count(*) FROM old GROUP BY channel`);
  }

  /** An alert that lasts longer than this is told again. */
  async forget(): Promise<void> {
    await this.database.query("DELETE FROM team_message WHERE state <> 'pending' AND settled_at < clock_timestamp() - interval '30 days'");
  }
}
