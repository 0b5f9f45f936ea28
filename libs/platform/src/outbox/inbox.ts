import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { errorText } from '../errors.js';
import { Database, type Transaction } from '../postgres/database.js';
import { Shutdown } from '../shutdown/shutdown.js';

const PRUNE_MS = 3_600_000;
/** Longer than any message can wait in all retry tiers, with room for a person to replay it. */
const KEEP_DAYS = 14;

/** Which messages have had their effect: the second line behind business keys. */
@Injectable()
export class Inbox implements OnApplicationBootstrap {
  private readonly logger = new Logger('Inbox');

  constructor(private readonly database: Database, private readonly shutdown: Shutdown) {}

  onApplicationBootstrap(): void {
    const timer = setInterval(() => void this.prune().catch((error: unknown) => this.logger.warn(errorText(error))), PRUNE_MS);
    this.shutdown.onDrain('inbox', () => clearInterval(timer));
    timer.unref();
  }

  /** In the transaction of the effect. @returns false: it has happened already, do nothing and acknowledge */
  async firstTime(tx: Transaction, consumer: string, messageId: string): Promise<boolean> {
    const rows = await tx.query(
      { name: 'inbox-first', text: 'INSERT INTO inbox (consumer, message_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1' },
      [consumer, messageId],
    );
    return rows.length === 1;
  }

  private async prune(): Promise<void> {
    await this.database.query(`DELETE FROM inbox WHERE received_at < clock_timestamp() - interval '${KEEP_DAYS} days'`);
  }
}
