import { Logger } from '@nestjs/common';
import pg from 'pg';
import { errorText } from '../errors.js';
import { traced } from '../telemetry/trace.js';
import { aside } from '../telemetry/work.js';
import { isAway, isRetryable, translate } from './postgres.errors.js';

export interface DatabaseOptions {
  url: string;
  /** The only schema on the search path. */
  schema: string;
  applicationName: string;
  /** Connections at most; default 10. */
  connectionsMax?: number;
}

/** A statement: text, or text with a name, which is prepared once per connection. */
export type Statement = string | { name?: string; text: string; values?: unknown[] };

export interface TransactionOptions {
  isolation?: 'read committed' | 'repeatable read' | 'serializable';
  /** Tries at most, for serialization failures, deadlocks and lock time-outs; default 5. */
  attemptsMax?: number;
}

// Every bigint of ours (ids, milliseconds, units) is a safe integer; as strings they would compare and add wrongly.
const INT8 = 20;
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8 && format !== 'binary' ? Number : (pg.types.getTypeParser as (oid: number, format?: string) => unknown)(oid, format)) as typeof pg.types.getTypeParser,
};

export const timeouts = { connectMs: 3_000, statementMs: 5_000, lockMs: 2_000, idleInTransactionMs: 10_000 };

/** The service's own schema, through a pool. Errors of an absent server come as InfrastructureError, all others as pg throws them. */
export class Database {
  readonly pool: pg.Pool;
  private readonly logger: Logger;

  constructor(readonly options: DatabaseOptions) {
    this.logger = new Logger(`postgres ${options.schema}`);
    this.pool = new pg.Pool({
      connectionString: options.url,
      max: options.connectionsMax ?? 10,
      application_name: options.applicationName,
      options: `-c search_path=${options.schema}`,
      connectionTimeoutMillis: timeouts.connectMs,
      statement_timeout: timeouts.statementMs,
      lock_timeout: timeouts.lockMs,
      idle_in_transaction_session_timeout: timeouts.idleInTransactionMs,
      // The server's limit ends a statement; this one notices a server that does not answer any more.
      query_timeout: timeouts.statementMs + 3_000,
      idleTimeoutMillis: 30_000,
      keepAlive: true,
      types,
    });
    // An idle connection that breaks; without a listener it would end the process.
    this.pool.on('error', (error) => aside(() => this.logger.warn(errorText(error))));
  }

  /**
   * One statement by itself.
   * @throws InfrastructureError with outcome `unknown` if the connection broke while it ran
   */
  query<T = Record<string, unknown>>(statement: Statement, values?: unknown[]): Promise<T[]> {
    return traced(() => nameOf(statement), asking, () => this.queryAlone<T>(statement, values));
  }

  /**
   * All of `work` or nothing of it. It is called again after a serialization failure, a deadlock or a lock time-out, so it must
   * have no other effects.
   * @throws InfrastructureError; its outcome is `unknown` only where COMMIT was sent and not answered
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    return traced('transaction', asking, () => this.tryRepeatedly(work, options));
  }

  /** Does the server answer? */
  async reachable(): Promise<boolean> {
    try {
      await this.query('SELECT 1');
      return true;
    } catch {
      return false; // that is the answer
    }
  }

  async close(): Promise<void> {
    if (!this.pool.ended) await this.pool.end();
  }

  private async acquire(): Promise<{ client: pg.PoolClient; release: (broken: boolean) => void }> {
    let client: pg.PoolClient;
    try {
      client = await this.pool.connect();
    } catch (error) {
      throw translate(error, 'not-done');
    }
    // A link that breaks says so by an event too; without a listener it would end the process. The statement fails by itself.
    const onError = () => undefined;
    client.on('error', onError);
    return {
      client,
      release: (broken) => {
        client.off('error', onError);
        client.release(broken);
      },
    };
  }

  private async queryAlone<T>(statement: Statement, values?: unknown[]): Promise<T[]> {
    const { client, release } = await this.acquire();
    let broken = false;
    try {
      return await run<T>(client, statement, values);
    } catch (error) {
      broken = isAway(error);
      throw translate(error, 'unknown');
    } finally {
      release(broken);
    }
  }

  private async tryRepeatedly<T>(work: (tx: Transaction) => Promise<T>, options: TransactionOptions): Promise<T> {
    const attemptsMax = options.attemptsMax ?? 5;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.tryTransaction(work, options);
      } catch (error) {
        if (attempt >= attemptsMax || !isRetryable(error)) throw error;
        // Both sides of a deadlock must not meet again at once.
        await new Promise((resolve) => { setTimeout(resolve, 10 + Math.random() * 190); });
      }
    }
  }

  private async tryTransaction<T>(work: (tx: Transaction) => Promise<T>, options: TransactionOptions): Promise<T> {
    const { client, release } = await this.acquire();
    const tx = new Transaction(client);
    let committing = false;
    let broken = false;
    try {
      await client.query(`BEGIN ISOLATION LEVEL ${options.isolation ?? 'read committed'}`);
      const result = await work(tx);
      committing = true;
      const { command } = await client.query('COMMIT');
      // COMMIT of a failed transaction is answered ROLLBACK, without an error.
      if (command !== 'COMMIT') throw new Error('the transaction had failed and was rolled back');
      tx.committed(this.logger);
      return result;
    } catch (error) {
      broken = isAway(error) || !(await rolledBack(client));
      throw translate(error, committing ? 'unknown' : 'not-done');
    } finally {
      release(broken);
    }
  }
}

/** One transaction under way. */
export class Transaction {
  private readonly afterwards: (() => void)[] = [];

  constructor(private readonly client: pg.PoolClient) {}

  query<T = Record<string, unknown>>(statement: Statement, values?: unknown[]): Promise<T[]> {
    return traced(() => nameOf(statement), asking, () => run<T>(this.client, statement, values));
  }

  /** Called once, after the COMMIT; for what may be lost, such as waking the relay. */
  afterCommit(run: () => void): void {
    this.afterwards.push(run);
  }

  committed(logger: Logger): void {
    for (const run of this.afterwards) {
      try {
        run();
      } catch (error) {
        logger.error(errorText(error));
      }
    }
  }
}

const asking = { kind: 'client', attributes: { 'db.system.name': 'postgresql' } } as const;

/** What a statement is called in a trace: never its text, which may have a value in it. */
const nameOf = (statement: Statement): string => (typeof statement === 'string' ? undefined : statement.name) ?? (typeof statement === 'string' ? statement : statement.text).trim().split(/\s/, 1)[0]!;

async function run<T>(client: pg.PoolClient, statement: Statement, values?: unknown[]): Promise<T[]> {
  const config = typeof statement === 'string' ? { text: statement } : statement;
  const result = await client.query(values ? { ...config, values } : config);
  return result.rows as T[];
}

/** False: the connection cannot be used again. */
async function rolledBack(client: pg.PoolClient): Promise<boolean> {
  try {
    await client.query('ROLLBACK');
    return true;
  } catch {
    return false; // that is the answer
  }
}

