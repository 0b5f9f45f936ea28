import type { StatementSync } from 'node:sqlite';
import { Injectable } from '@nestjs/common';
import { Book } from './book.js';

/** A notice that is owed: `owed` deliveries are still to be answered 200. */
export interface Notice {
  id: string;
  callbackUrl: string;
  body: string;
  owed: number;
  failures: number;
}

/** Notices under way. What writes must be called inside `Book.write`. */
@Injectable()
export class NoticeStore {
  private readonly selectDue: StatementSync;
  private readonly selectNext: StatementSync;
  private readonly takeOne: StatementSync;
  private readonly remove: StatementSync;
  private readonly putOff: StatementSync;

  constructor(book: Book) {
    this.selectDue = book.prepare('SELECT id, callback_url AS callbackUrl, body, owed, failures FROM notice WHERE next_at_ms <= ? ORDER BY next_at_ms LIMIT ?');
    this.selectNext = book.prepare('SELECT min(next_at_ms) AS nextAtMs FROM notice WHERE next_at_ms > ?');
    this.takeOne = book.prepare('UPDATE notice SET owed = owed - 1, failures = 0, next_at_ms = ? WHERE id = ? AND owed > 1');
    this.remove = book.prepare('DELETE FROM notice WHERE id = ?');
    this.putOff = book.prepare('UPDATE notice SET failures = failures + 1, next_at_ms = ? WHERE id = ?');
  }

  due(nowMs: number, limit: number): Notice[] {
    return this.selectDue.all(nowMs, limit) as unknown as Notice[];
  }

  /** When the next notice that is not due yet will be, or null. */
  nextAfterMs(nowMs: number): number | null {
    return (this.selectNext.get(nowMs) as { nextAtMs: number | null } | undefined)?.nextAtMs ?? null;
  }

  /** One delivery was answered 200. */
  delivered(id: string, nowMs: number): void {
    if (this.takeOne.run(nowMs, id).changes === 0) this.remove.run(id);
  }

  failed(id: string, nextAtMs: number): void {
    this.putOff.run(nextAtMs, id);
  }
}
