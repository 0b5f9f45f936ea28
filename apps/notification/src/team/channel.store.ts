import type { channelKinds, channelTopics } from '@floodgate/contracts';
import { Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import type { RateLimit, Target } from '../channels/team-channel.js';


/** What a channel is told. */
export type Topic = (typeof channelTopics)[number];

/** A channel as it is saved. */
export interface SavedChannel extends Target {
  name: string;
  kind: (typeof channelKinds)[number];
  hears: Topic[];
}

/** A channel as it is shown: its URL and secret are known to the robot alone. */
export interface ChannelRow {
  name: string;
  kind: (typeof channelKinds)[number];
  url: string;
  signed: boolean;
  hears: Topic[];
  savedBy: string;
  savedAt: Date;
  lastSentAt: Date | null;
  waiting: number;
  lastError: string | null;
}

/** Far above what one message takes, so that nobody sends beside a sender that is only slow. */
const claimMs = 30_000;
const sentKept = 100;

/** The channels, and when each may be sent to. */
@Injectable()
export class ChannelStore {
  constructor(private readonly database: Database) {}

  list(): Promise<ChannelRow[]> {
    return this.database.query<ChannelRow>(`${rowSql} ORDER BY name`);
  }

  async find(tx: Database | Transaction, name: string): Promise<ChannelRow | null> {
    return (await tx.query<ChannelRow>(`${rowSql} WHERE name = $1`, [name]))[0] ?? null;
  }

  /** Makes it, or puts it in the place of the one that has this name; what waits for that one goes to this one. */
  async save(tx: Transaction, { name, kind, url, secret, hears }: SavedChannel, savedBy: string): Promise<void> {
    await tx.query(
      `INSERT INTO channel (name, kind, url, secret, hears, saved_by) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (name) DO UPDATE SET kind = $2, url = $3, secret = $4, hears = $5, saved_by = $6, saved_at = clock_timestamp(), sent_at = '{}', next_at = '-infinity', failures = 0, last_error = NULL`,
      [name, kind, url, secret, hears, savedBy]);
  }

  /** With what waits for it. @returns whether there was one */
  async remove(tx: Transaction, name: string): Promise<boolean> {
    return (await tx.query('DELETE FROM channel WHERE name = $1 RETURNING name', [name])).length > 0;
  }

  /** A channel for which something waits and that may be sent to now; it is the caller's until it says what came of it. @param name only this one */
  async claim(name: string | null): Promise<SavedChannel | null> {
    return (await this.database.query<SavedChannel>(claimSql, [claimMs, name]))[0] ?? null;
  }

  /** In the transaction that notes the messages. */
  async noteSent(tx: Transaction, name: string, limits: readonly RateLimit[]): Promise<void> {
    await tx.query(sentSql, [name, limits.map((limit) => limit.messages), limits.map((limit) => limit.withinMs)]);
  }

  /** @param waitMs as the other side asks; otherwise longer after each failure, from five seconds to ten minutes */
  async noteFailed(name: string, error: string, waitMs: number | null): Promise<void> {
    await this.database.query(
      `UPDATE channel SET claimed_until = '-infinity', failures = failures + 1, last_error = $2,
         next_at = clock_timestamp() + coalesce($3::int, least(5000 * 2 ^ least(failures, 10), 600000)) * interval '1 millisecond' WHERE name = $1`,
      [name, error.slice(0, 500), waitMs]);
  }
}

const rowSql = `
SELECT name, kind, url, secret IS NOT NULL AS signed, hears, saved_by AS "savedBy", saved_at AS "savedAt", sent_at[1] AS "lastSentAt",
  (SELECT count(*) FROM team_message WHERE channel = name AND state = 'pending') AS waiting, last_error AS "lastError" FROM channel`;

const claimSql = `
UPDATE channel SET claimed_until = clock_timestamp() + $1::int * interval '1 millisecond'
WHERE name = (
  SELECT name FROM channel WHERE next_at <= clock_timestamp() AND claimed_until <= clock_timestamp() AND ($2::text IS NULL OR name = $2)
    AND EXISTS (SELECT FROM team_message WHERE channel = name AND state = 'pending')
  ORDER BY next_at, name LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING name, kind, url, secret, hears`;

// A limit of n messages: the next one waits until the n-th newest is out of its window. A subscript beyond the array is null, which max leaves out.
const sentSql = `
WITH sent AS (SELECT name, (array_prepend(clock_timestamp(), sent_at))[1:${sentKept}] AS times FROM channel WHERE name = $1)
UPDATE channel SET claimed_until = '-infinity', failures = 0, last_error = NULL, sent_at = sent.times,
  next_at = (SELECT coalesce(max(sent.times[n] + ms * interval '1 millisecond'), '-infinity') FROM unnest($2::int[], $3::int[]) AS rate (n, ms))
FROM sent WHERE channel.name = sent.name`;
