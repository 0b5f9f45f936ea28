import { accept, refuse, type Outcome, type View } from '@floodgate/contracts';
import { createLogger, Database, hashForLog, isoTime, PublishError, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { AdminActs } from '../audit-log/admin-acts.js';
import { readableBody } from './affected-orders.js';
import { DeadLetterStore, type LetterRow } from './dead-letter.store.js';
import { ParkedOrders } from './parked-orders.js';
import { ReplayRehearsal } from './replay-rehearsal.js';

interface Replay { id: string; dryRun: boolean; outcome: string }

/** What an operator does about dead letters. A letter is decided upon once, asking again changes nothing and tells what it came to; its body never changes. */
@Injectable()
export class DeadLetterDesk {
  private readonly log = createLogger('dead-letter');

  constructor(
    private readonly database: Database,
    private readonly letters: DeadLetterStore,
    private readonly parked: ParkedOrders,
    private readonly replays: ReplayRehearsal,
    private readonly acts: AdminActs,
  ) {}

  /** Newest first; bodies are left out of lists (null). */
  async list(limit: number, cursor: string | null): Promise<Outcome<View.Page<View.DeadLetterView>>> {
    if (cursor !== null && !/^\d{1,15}$/.test(cursor)) return refuse('INVALID_REQUEST', 'no such cursor', { errors: [{ path: '/query/cursor', message: 'must be a nextCursor' }] });
    const rows = await this.letters.page(limit + 1, cursor === null ? null : Number(cursor));
    const page = rows.slice(0, limit);
    const more = rows.length > limit;
    return accept({ items: page.map((row) => ({ ...viewOf(row), body: null })), nextCursor: more ? String(page.at(-1)?.seq) : null });
  }

  async get(id: string): Promise<Outcome<View.DeadLetterView>> {
    const row = await this.letters.find(id);
    return row ? accept(viewOf(row)) : refuse('NOT_FOUND', 'no such dead letter');
  }

  /**
   * Sends the message to its queue again, as it was, under its own id, its attempts counted anew.
   * The letter's row stays locked until the broker has confirmed, so that two operators cannot do it both.
   */
  async replay(id: string, actor: string): Promise<Outcome<Replay>> {
    return this.decide<Replay>(id, async (tx, letter) => {
      if (letter.state !== 'waiting') return accept({ id, dryRun: false, outcome: `already-${letter.state}` });
      try {
        await this.replays.send(replayable(letter));
      } catch (error) {
        if (!(error instanceof PublishError)) throw error;
        // It may have been published: done again under the same id, that is harmless, so the letter simply keeps waiting.
        this.log.warn({ letter: id, err: error }, 'a dead letter could not be sent again');
        return refuse('UNAVAILABLE', 'the broker did not take the message; try again');
      }
      await this.letters.settle(tx, id, 'replayed', actor, null);
      await this.noteAct(tx, letter, { state: 'replayed' }, actor, 'replay-dead-letter', null);
      this.log.info({ letter: id, queue: letter.queue, actor: hashForLog(actor) }, 'a dead letter was sent again');
      return accept({ id, dryRun: false, outcome: 'republished' });
    });
  }

  /** What {@link replay} would lead to now. Changes nothing and locks no letter. */
  async foresee(id: string): Promise<Outcome<Replay>> {
    const letter = await this.letters.find(id);
    if (!letter) return refuse('NOT_FOUND', 'no such dead letter');
    return accept({ id, dryRun: true, outcome: letter.state === 'waiting' ? await this.replays.rehearse(replayable(letter)) : `already-${letter.state}` });
  }

  /** Gives the message up: the orders parked for it are closed, their units go back, once. */
  async discard(id: string, actor: string, reason: string): Promise<Outcome<View.DeadLetterView>> {
    return this.decide(id, async (tx, letter) => {
      if (letter.state !== 'waiting') return accept(viewOf(letter));
      const closed = await this.parked.close(tx, letter.reservationIds);
      await this.letters.settle(tx, id, 'discarded', actor, reason);
      await this.noteAct(tx, letter, { state: 'discarded', closed }, actor, 'discard-dead-letter', reason);
      this.log.info({ letter: id, queue: letter.queue, actor: hashForLog(actor), closed }, 'a dead letter was given up');
      return accept({ ...viewOf(letter), state: 'discarded' as const });
    });
  }

  private noteAct(tx: Transaction, { id, state, queue }: LetterRow, after: Record<string, unknown>, accountId: string, action: string, reason: string | null): Promise<void> {
    return this.acts.note(tx, { accountId, action, subject: id, reason, before: { state, queue }, after: { queue, ...after } });
  }

  private decide<T>(id: string, decision: (tx: Transaction, letter: LetterRow) => Promise<Outcome<T>>): Promise<Outcome<T>> {
    return this.database.transaction(async (tx) => {
      const letter = await this.letters.lock(tx, id);
      return letter ? decision(tx, letter) : refuse('NOT_FOUND', 'no such dead letter');
    });
  }
}

const replayable = (letter: LetterRow) => ({ ...letter, occurredAtMs: letter.occurredAt.getTime() });

const viewOf = (row: LetterRow): View.DeadLetterView => ({
  id: row.id, queue: row.queue, message: row.name, reason: row.reason, firstError: row.firstError, lastError: row.lastError, attempts: row.attempts,
  state: row.state, reservationIds: row.reservationIds, occurredAt: isoTime(row.occurredAt.getTime()), body: readableBody(row.body),
});
