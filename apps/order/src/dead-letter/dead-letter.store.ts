import { createHash, randomBytes } from 'node:crypto';
import { Database, type DeadLetter, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';

export const letterStates = ['waiting', 'replayed', 'discarded'] as const;
export type LetterState = (typeof letterStates)[number];

/** One row of `dead_letter`. */
export interface LetterRow {
  id: string;
  seq: number;
  queue: DeadLetter['queue'];
  name: string;
  messageId: string;
  body: Buffer;
  headers: Record<string, unknown>;
  reason: string;
  firstError: string;
  lastError: string;
  attempts: number;
  state: LetterState;
  reservationIds: string[];
  occurredAt: Date;
}

const columns = `d.id, d.seq::float8 AS seq, d.queue, d.name, d.message_id AS "messageId", d.body, d.headers, d.reason, d.first_error AS "firstError",
  d.last_error AS "lastError", d.attempts, d.state, d.reservation_ids AS "reservationIds", d.occurred_at AS "occurredAt"`;

/** Postgres takes no NUL in text; a letter that cannot be stored would be a poison of its own. */
const clean = (text: string): string => text.replaceAll('\u0000', '\uFFFD');
const cleanJson = (value: unknown): string => JSON.stringify(value).replaceAll('\\u0000', '\\ufffd');

/** A message without an id is known by its content. */
export const letterKey = (letter: DeadLetter): string => clean(letter.messageId) || `sha256.${createHash('sha256').update(letter.body).digest('hex')}`;

/** Dead letters, each message once per queue. */
@Injectable()
export class DeadLetterStore {
  constructor(private readonly database: Database) {}

  /**
   * Keeps a letter, or notes that a known one has died again: then it waits again, unless somebody had given it up and nothing was parked since.
   * `waitMinutes`: after this its parked orders are closed; a letter that parked nothing waits for people for ever.
   */
  async keep(letter: DeadLetter, reservationIds: readonly string[], waitMinutes: number): Promise<void> {
    await this.database.query({
      name: 'dead-letter-keep',
      text: `WITH parked AS (
          SELECT EXISTS (SELECT FROM orders o WHERE o.sale_id = ANY($13) AND o.rid = ANY($12) AND o.state = 'STUCK') AS some
        )
        INSERT INTO dead_letter AS d (id, queue, name, message_id, body, headers, reason, first_error, last_error, attempts, occurred_at, reservation_ids, close_at)
        SELECT $1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9, $10, $11, $12, CASE WHEN parked.some THEN clock_timestamp() + make_interval(mins => $14) END FROM parked
        ON CONFLICT (queue, message_id) DO UPDATE SET
          last_error = excluded.last_error, attempts = excluded.attempts, reason = excluded.reason, close_at = excluded.close_at, updated_at = clock_timestamp(),
          state = CASE WHEN d.state = 'discarded' AND excluded.close_at IS NULL THEN 'discarded' ELSE 'waiting' END`,
      values: [
        `dl-${randomBytes(12).toString('base64url')}`, letter.queue, clean(letter.name), letterKey(letter), letter.body, cleanJson(letter.headers), letter.reason,
        clean(letter.firstError), clean(letter.lastError), letter.attempts, new Date(letter.occurredAtMs), reservationIds,
        [...new Set(reservationIds.map((rid) => rid.split('.')[0]))], waitMinutes,
      ],
    });
  }

  async find(id: string): Promise<LetterRow | null> {
    const rows = await this.database.query<LetterRow>({ name: 'dead-letter-find', text: `SELECT ${columns} FROM dead_letter d WHERE d.id = $1`, values: [id] });
    return rows[0] ?? null;
  }

  /** Newest first; `before` is the `seq` of the last one of the page before. */
  async page(limit: number, before: number | null): Promise<LetterRow[]> {
    return this.database.query<LetterRow>({
      name: 'dead-letter-page',
      text: `SELECT ${columns} FROM dead_letter d WHERE $2::bigint IS NULL OR d.seq < $2 ORDER BY d.seq DESC LIMIT $1`,
      values: [limit, before],
    });
  }

  /** The letter, locked: one of two operators at a time decides on it. */
  async lock(tx: Transaction, id: string): Promise<LetterRow | null> {
    const rows = await tx.query<LetterRow>({ name: 'dead-letter-lock', text: `SELECT ${columns} FROM dead_letter d WHERE d.id = $1 FOR UPDATE`, values: [id] });
    return rows[0] ?? null;
  }

  async settle(tx: Transaction, id: string, state: 'replayed' | 'discarded', actor: string, reason: string | null): Promise<void> {
    await tx.query({
      name: 'dead-letter-settle',
      text: 'UPDATE dead_letter SET state = $2, actor = $3, discard_reason = $4, updated_at = clock_timestamp() WHERE id = $1',
      values: [id, state, actor, reason === null ? null : clean(reason)],
    });
  }

  /** Letters on which nobody acted in time, though orders are parked for them. */
  async overdue(limit: number): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>({
      name: 'dead-letter-overdue',
      text: `SELECT id FROM dead_letter WHERE state = 'waiting' AND close_at <= clock_timestamp() ORDER BY close_at LIMIT $1`,
      values: [limit],
    });
    return rows.map((row) => row.id);
  }

  /** Which of these orders are parked, and in which lane. Call it under the lanes' locks for an answer that stays true. */
  async parked(from: Transaction | Database, reservationIds: readonly string[]): Promise<{ saleId: string; rid: string; lane: number }[]> {
    if (reservationIds.length === 0) return [];
    return from.query<{ saleId: string; rid: string; lane: number }>({
      name: 'dead-letter-parked',
      text: `SELECT o.sale_id AS "saleId", o.rid, o.lane FROM orders o JOIN unnest($1::text[]) AS w (rid) ON o.sale_id = split_part(w.rid, '.', 1) AND o.rid = w.rid
        WHERE o.state = 'STUCK' ORDER BY o.sale_id, o.rid`,
      values: [reservationIds],
    });
  }

  /** Parked orders that no waiting letter speaks for, older than this: what was to become of them is lost. */
  async forsaken(olderThanMinutes: number, limit: number): Promise<string[]> {
    const rows = await this.database.query<{ rid: string }>({
      name: 'dead-letter-forsaken',
      text: `SELECT o.rid FROM orders o WHERE o.state = 'STUCK' AND o.updated_at < clock_timestamp() - make_interval(mins => $1)
        AND NOT EXISTS (SELECT FROM dead_letter d WHERE d.state = 'waiting' AND o.rid = ANY(d.reservation_ids)) LIMIT $2`,
      values: [olderThanMinutes, limit],
    });
    return rows.map((row) => row.rid);
  }

  async waitingCount(): Promise<number> {
    const rows = await this.database.query<{ count: number }>({ name: 'dead-letter-count', text: `SELECT count(*)::int AS count FROM dead_letter WHERE state = 'waiting'`, values: [] });
    return rows[0]?.count ?? 0;
  }
}
