import type { MessageName } from '@floodgate/contracts';
import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { crashPoint } from '../crash-points.js';
import { PublishError, errorText } from '../errors.js';
import { Publisher } from '../messaging/publisher.js';
import { Database, type Transaction } from '../postgres/database.js';
import { Shutdown } from '../shutdown/shutdown.js';
import { outboxOldest } from '../telemetry/metrics.js';
import { aside } from '../telemetry/work.js';
import { Outbox } from './outbox.js';

const BATCH_MAX = 200;
const BEAT_MS = 250;
const BEAT_AFTER_FAILURE_MS = 1_000;
// Below the time-outs that end an idle transaction: the rows stay locked while their confirms come.
const CONFIRM_MS = 4_000;

interface Row {
  id: number;
  message_id: string;
  name: MessageName;
  body: string;
  occurred_at: Date;
  request_id: string | null;
  traceparent: string | null;
}

/**
 * Hands the outbox to the broker. Rows are found by being there, never by `id > last`: a transaction with a lower id may commit
 * later. Several relays share the work by skipping each other's locked rows.
 */
@Injectable()
export class OutboxRelay implements OnApplicationBootstrap {
  private readonly logger = new Logger('OutboxRelay');
  private running: Promise<void> | undefined;
  private woken = false;
  private stopping = false;
  private timer: NodeJS.Timeout | undefined;
  private lastError = '';

  constructor(private readonly database: Database, private readonly publisher: Publisher, private readonly outbox: Outbox, private readonly shutdown: Shutdown) {}

  onApplicationBootstrap(): void {
    this.outbox.onWake(() => this.wake());
    this.shutdown.onDrain('outbox relay', () => this.stop());
    this.wake();
  }

  /** Messages not known to be confirmed. */
  async pending(): Promise<number> {
    const [row] = await this.database.query<{ count: number }>('SELECT count(*) AS count FROM outbox');
    return row?.count ?? 0;
  }

  /** Looks at once; while it is at work, looks again afterwards. */
  wake(): void {
    if (this.stopping) return;
    this.woken = true;
    if (this.running) return;
    clearTimeout(this.timer);
    // Whoever wakes it did not write all that it finds.
    this.running = aside(() => this.relayAll()).finally(() => {
      this.running = undefined;
    });
  }

  /** Hands over what is there once more, then rests. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.timer);
    await this.running;
    if (this.publisher.state === 'up') await this.relayBatch().catch((error: unknown) => this.logger.warn(errorText(error)));
  }

  private async relayAll(): Promise<void> {
    let restMs = BEAT_MS;
    try {
      while (this.woken && !this.stopping) {
        this.woken = false;
        // Without a link there is nothing to lock rows for.
        if (this.publisher.state !== 'up') break;
        const result = await this.relayBatch();
        if (result === 'more') this.woken = true;
        if (result === 'stuck') break;
      }
      await this.measure();
      this.lastError = '';
    } catch (error) {
      const text = errorText(error);
      if (text !== this.lastError) this.logger.warn(text);
      this.lastError = text;
      restMs = BEAT_AFTER_FAILURE_MS;
    }
    if (!this.stopping) {
      this.timer = setTimeout(() => this.wake(), restMs);
    }
  }

  /** @returns `more`: probably; `stuck`: the broker does not take them now */
  private relayBatch(): Promise<'empty' | 'more' | 'stuck'> {
    return this.database.transaction(async (tx) => {
      const rows = await tx.query<Row>({
        name: 'outbox-take',
        text: `SELECT id, message_id, name, body, occurred_at, request_id, traceparent FROM outbox WHERE next_at <= clock_timestamp()
               ORDER BY id LIMIT ${BATCH_MAX} FOR UPDATE SKIP LOCKED`,
      });
      if (rows.length === 0) return 'empty';
      crashPoint('outbox.before-publish');
      const results = await Promise.allSettled(rows.map((row) => this.publish(row)));
      crashPoint('outbox.after-publish');
      tx.afterCommit(() => crashPoint('outbox.after-commit'));
      const ids = (wanted: (result: PromiseSettledResult<void>) => boolean) => rows.filter((_, index) => wanted(results[index]!)).map(({ id }) => id);
      const confirmed = ids((result) => result.status === 'fulfilled');
      const refused = ids((result) => result.status === 'rejected' && isOwnFault(result.reason));
      if (confirmed.length > 0) await tx.query({ name: 'outbox-delete', text: 'DELETE FROM outbox WHERE id = ANY($1)' }, [confirmed]);
      if (refused.length > 0) await this.postpone(tx, refused);
      const failure = results.find((result) => result.status === 'rejected');
      if (failure) this.logger.warn(`${rows.length - confirmed.length} of ${rows.length} not published: ${errorText(failure.reason)}`);
      if (confirmed.length + refused.length < rows.length) return 'stuck';
      return rows.length === BATCH_MAX ? 'more' : 'empty';
    }, { attemptsMax: 1 });
  }

  private publish(row: Row): Promise<void> {
    const { name, body, message_id: messageId, occurred_at: occurredAt, request_id: requestId, traceparent } = row;
    const origin = { ...(requestId === null ? {} : { requestId }), ...(traceparent === null ? {} : { traceparent }) };
    return this.publisher.publishJson(name, body, { messageId, occurredAtMs: occurredAt.getTime(), timeoutMs: CONFIRM_MS, origin });
  }

  /** Those at fault themselves must not stand before the others. */
  private async postpone(tx: Transaction, ids: number[]): Promise<void> {
    await tx.query(
      `UPDATE outbox SET failures = failures + 1, next_at = clock_timestamp() + least(250 * 2 ^ least(failures, 10), 30000) * interval '1 millisecond'
       WHERE id = ANY($1)`,
      [ids],
    );
  }

  private async measure(): Promise<void> {
    const [row] = await this.database.query<{ seconds: number | null }>({
      name: 'outbox-oldest',
      text: 'SELECT extract(epoch FROM clock_timestamp() - occurred_at)::float8 AS seconds FROM outbox ORDER BY id LIMIT 1',
    });
    outboxOldest.set(Math.max(0, row?.seconds ?? 0));
  }
}

/** Refused for the message's own sake (nobody is bound for it, or the broker rejected it), not for want of a link. */
const isOwnFault = (error: unknown): boolean => !(error instanceof PublishError) || error.code === 'UNROUTABLE' || error.code === 'NACKED';
