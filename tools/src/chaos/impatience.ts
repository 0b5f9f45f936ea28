import { Client } from 'pg';

import type { Arena } from './arena.js';

const everyMs = 500;
/** Long enough for most buyers who mean to pay at once. */
const openForMs = 1_500;
/** Rows that a service has in hand are left alone: this is not a fault, and must hold up nobody. */
const query = `WITH due AS (
    SELECT o.sale_id, o.rid FROM orders.orders o JOIN orders.payment p USING (sale_id, rid)
    WHERE o.sale_id = ANY($1) AND o.state = 'PENDING' AND o.pay_by > clock_timestamp()
      AND p.state = 'OPEN' AND p.created_at < clock_timestamp() - make_interval(secs => $2)
    FOR UPDATE OF o SKIP LOCKED)
  UPDATE orders.orders o SET pay_by = clock_timestamp() FROM due WHERE o.sale_id = due.sale_id AND o.rid = due.rid`;
/** By the server too: a statement that nobody waits for any more must not go on and hold its locks. */
const timeoutMs = 2_000;

/**
 * Ends the time to pay of orders whose payments stay open, by the clock that closes orders. By themselves a payment and its order end
 * in the same moment, so the provider would hardly ever be asked to close one, and hardly ever take money that comes too late.
 */
export class Impatience {
  private open = true;
  private working: Promise<void> = Promise.resolve();

  constructor(private readonly arena: Arena, private readonly saleIds: readonly string[]) {}

  start(): void {
    this.working = this.work();
  }

  async stop(): Promise<void> {
    this.open = false;
    await this.working;
  }

  private async work(): Promise<void> {
    const { pauses } = this.arena;
    while (this.open && !pauses.stopped) {
      await this.hurry().catch(() => undefined); // The database is what is being broken: next time, then.
      await pauses.sleep(everyMs);
    }
  }

  private async hurry(): Promise<void> {
    const client = new Client({ connectionString: this.arena.platform.run.postgres.url, connectionTimeoutMillis: timeoutMs, query_timeout: timeoutMs, statement_timeout: timeoutMs });
    client.on('error', () => undefined); // as above
    try {
      await client.connect();
      await client.query(query, [this.saleIds, openForMs / 1_000]);
    } finally {
      // Not waited for: a server that is dead or stands still says no goodbye.
      client.end().catch(() => undefined);
    }
  }
}
