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
  /** Its deliveries go out at once. */
  concurrent: 0 | 1;
  /** What is sent before the first delivery, comma-separated. */
  lies: string;
}

/** How a notice is to be delivered. */
export interface NewNotice {
  id: string;
  paymentId: string;
  callbackUrl: string;
  body: string;
  owed: number;
  nextAtMs: number;
  concurrent: boolean;
  lies: string;
}

/** Notices under way. What writes must be called inside `Book.write`. */
@Injectable()
export class NoticeStore {
  private readonly selectDue: StatementSync;
  private readonly selectNext: StatementSync;
  private readonly take: StatementSync;
  private readonly remove: StatementSync;
  private readonly putOff: StatementSync;
  private readonly insert: StatementSync;
  private readonly release: StatementSync;
  private readonly selectOf: StatementSync;

  constructor(book: Book) {
    this.selectDue = book.prepare('SELECT id, callback_url AS callbackUrl, body, owed, failures, concurrent, lies FROM notice WHERE next_at_ms <= ? ORDER BY next_at_ms LIMIT ?');
    this.selectNext = book.prepare('SELECT min(next_at_ms) AS nextAtMs FROM notice WHERE next_at_ms > ?');
    this.take = book.prepare(`UPDATE notice SET owed = owed - ?, failures = 0, lies = '', next_at_ms = ? WHERE id = ? AND owed > ?`);
    this.remove = book.prepare('DELETE FROM notice WHERE id = ?');
    this.putOff = book.prepare(`UPDATE notice SET failures = failures + 1, lies = '', next_at_ms = ? WHERE id = ?`);
    this.insert = book.prepare('INSERT INTO notice (id, payment_id, callback_url, body, owed, next_at_ms, concurrent, lies) VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
    this.release = book.prepare('UPDATE notice SET next_at_ms = min(next_at_ms, ?) WHERE payment_id = (SELECT payment_id FROM notice WHERE id = ?)');
    this.selectOf = book.prepare('SELECT id FROM notice WHERE payment_id = ?');
  }

  /** Notes a notice that is owed from now on. */
  owe(notice: NewNotice): void {
    const { id, paymentId, callbackUrl, body, owed, nextAtMs, concurrent, lies } = notice;
    this.insert.run(id, paymentId, callbackUrl, body, owed, nextAtMs, concurrent ? 1 : 0, lies);
  }

  /** The notices of a payment that are still owed. */
  idsOf(paymentId: string): string[] {
    return this.selectOf.all(paymentId).map(({ id }) => String(id));
  }

  due(nowMs: number, limit: number): Notice[] {
    return this.selectDue.all(nowMs, limit) as unknown as Notice[];
  }

  /** When the next notice that is not due yet will be, or null. */
  nextAfterMs(nowMs: number): number | null {
    return (this.selectNext.get(nowMs) as { nextAtMs: number | null } | undefined)?.nextAtMs ?? null;
  }

  /** So many deliveries were answered 200. A notice of the same payment that was held back for this one may go now. */
  delivered(id: string, count: number, nowMs: number): void {
    this.release.run(nowMs, id);
    if (this.take.run(count, nowMs, id, count).changes === 0) this.remove.run(id);
  }

  failed(id: string, nextAtMs: number): void {
    this.putOff.run(nextAtMs, id);
  }
}
