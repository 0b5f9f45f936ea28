import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';

const schema = readFileSync(new URL('./book.sql', import.meta.url), 'utf8');

const added = [
  ['payment', 'late_capture_at_ms', 'INTEGER'], ['payment', 'refund_failures', 'INTEGER NOT NULL DEFAULT 0'],
  ['notice', 'concurrent', 'INTEGER NOT NULL DEFAULT 0'], ['notice', 'lies', `TEXT NOT NULL DEFAULT ''`],
] as const;

interface Waiting {
  run: () => unknown;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

/**
 * The durable file. Whatever a promise of `write` was resolved for survives a SIGKILL and a loss of power:
 * write-ahead log with a full sync at each commit. Writes that arrive together share one commit, since the sync is what costs.
 */
@Injectable()
export class Book implements OnApplicationShutdown {
  private readonly db: DatabaseSync;
  private waiting: Waiting[] = [];

  constructor(file: string) {
    mkdirSync(path.dirname(file), { recursive: true });
    this.db = new DatabaseSync(file, { timeout: 5_000 });
    this.db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;');
    this.db.exec(schema);
    // A book of an earlier version is kept, and gets what has been added since.
    for (const [table, column, type] of added) this.addColumn(table, column, type);
    this.db.exec('CREATE INDEX IF NOT EXISTS payment_late ON payment (late_capture_at_ms) WHERE late_capture_at_ms IS NOT NULL');
  }

  prepare(sql: string): StatementSync {
    return this.db.prepare(sql);
  }

  /**
   * Runs `work` (synchronous) in a transaction and answers its value once that is durable.
   * Works run in the order in which they came; one that throws is undone alone, its error rejects its own promise.
   */
  write<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.waiting.push({ run: work, resolve: resolve as (value: unknown) => void, reject });
      if (this.waiting.length === 1) setImmediate(() => this.commit());
    });
  }

  /** False when the file cannot be read. */
  readable(): boolean {
    return this.db.isOpen && this.db.prepare('SELECT 1 AS one').get() !== undefined;
  }

  onApplicationShutdown(): void {
    this.commit();
    if (this.db.isOpen) this.db.close();
  }

  private addColumn(table: string, column: string, type: string): void {
    const columns = this.db.prepare(`SELECT name FROM pragma_table_info('${table}')`).all() as { name: string }[];
    if (!columns.some(({ name }) => name === column)) this.db.exec(`ALTER TABLE ${table} ADD COLUMN ${column} ${type}`);
  }

  private commit(): void {
    const batch = this.waiting;
    this.waiting = [];
    if (batch.length === 0) return;
    try {
      this.db.exec('BEGIN IMMEDIATE');
      const settle = batch.map((one) => this.runAlone(one));
      this.db.exec('COMMIT');
      for (const done of settle) done();
    } catch (error) {
      if (this.db.isOpen && this.db.isTransaction) this.db.exec('ROLLBACK');
      for (const one of batch) one.reject(error);
    }
  }

  private runAlone(one: Waiting): () => void {
    this.db.exec('SAVEPOINT one');
    try {
      const value = one.run();
      this.db.exec('RELEASE one');
      return () => one.resolve(value);
    } catch (error) {
      this.db.exec('ROLLBACK TO one; RELEASE one');
      return () => one.reject(error);
    }
  }
}
