import { Client } from 'pg';

import { poisonPrefix } from './message-faults.js';
import type { Arena } from './arena.js';

const pollMs = 500;
const settleMs = 60_000;

/** Reservations by which late money was to buy its units again, whatever came of them. */
export async function boughtAgain(arena: Arena): Promise<ReadonlySet<string>> {
  const client = new Client({ connectionString: arena.platform.run.postgres.url });
  await client.connect();
  try {
    const { rows } = await client.query<{ rid: string }>('SELECT new_rid AS rid FROM orders.reacquisition');
    return new Set(rows.map(({ rid }) => rid));
  } finally {
    await client.end();
  }
}

/** How many dead letters there are of those that were poisoned, and how many of others. Waits a while for the last of the poison. */
export async function countLetters(arena: Arena, poisoned: number): Promise<{ poisoned: number; others: readonly string[] }> {
  const client = new Client({ connectionString: arena.platform.run.postgres.url });
  await client.connect();
  try {
    for (const untilMs = Date.now() + settleMs; ;) {
      const { rows } = await client.query<{ messageId: string; text: string }>(
        `SELECT message_id AS "messageId", queue || ' ' || name || ': ' || last_error AS text FROM orders.dead_letter ORDER BY seq`);
      const others = rows.filter(({ messageId }) => !messageId.startsWith(poisonPrefix)).map(({ text }) => text);
      const mine = rows.length - others.length;
      if (mine >= poisoned || Date.now() > untilMs || arena.pauses.stopped) return { poisoned: mine, others };
      await arena.pauses.sleep(pollMs);
    }
  } finally {
    await client.end();
  }
}
