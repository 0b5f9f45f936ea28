import type { MessageBody, MessageName } from '@floodgate/contracts';
import { Injectable } from '@nestjs/common';
import { encodeBody } from '../messaging/message.codec.js';
import type { Transaction } from '../postgres/database.js';
import { workHeaders } from '../telemetry/work.js';

/** Messages written in the transaction of what they tell of: both are there, or neither. */
@Injectable()
export class Outbox {
  private wakeRelay: () => void = () => undefined;

  /**
   * Adds one message per body. They go out soon after the commit, at least once, in no promised order: consumers go by version.
   * @throws PermanentError if a body does not fit its schema
   */
  async add<N extends MessageName>(tx: Transaction, name: N, bodies: MessageBody<N>[]): Promise<void> {
    if (bodies.length === 0) return;
    const { requestId = null, traceparent = null } = workHeaders();
    await tx.query(
      { name: 'outbox-add', text: 'INSERT INTO outbox (name, body, request_id, traceparent) SELECT $1, unnest($2::text[]), $3, $4' },
      [name, bodies.map((body) => encodeBody(name, body)), requestId, traceparent],
    );
    tx.afterCommit(() => this.wakeRelay());
  }

  /** Tells the relay to look now rather than at its next beat. */
  wake(): void {
    this.wakeRelay();
  }

  /** Called by the relay. */
  onWake(wake: () => void): void {
    this.wakeRelay = wake;
  }
}
