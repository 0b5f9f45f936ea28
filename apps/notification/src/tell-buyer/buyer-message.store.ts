import { Injectable } from '@nestjs/common';
import { Database } from '@floodgate/platform';
import type { BuyerMessage } from '../channels/channel.js';

/** How long one delivery may take before somebody else tries it: far above any, since a shorter one tells buyers twice. */
export const claimMs = 30_000;

/** News of an order, and the version of the order that it is of. */
export interface News extends BuyerMessage {
  version: number;
}

interface Row {
  rid: string;
  kind: BuyerMessage['kind'];
  account_id: string;
  body: string;
}

/** The table of what buyers are told: pending until delivered. */
@Injectable()
export class BuyerMessageStore {
  constructor(private readonly database: Database) {}

  /**
   * Keeps what is new; news that are known are left out. What is returned is the caller's to deliver, and nobody else's for
   * {@link claimMs}. News of an order of which later ones are known are kept as superseded and not returned.
   */
  async add(news: readonly News[]): Promise<BuyerMessage[]> {
    const rows = await this.database.query<Row & { state: string }>({
      name: 'add-buyer-messages',
      text: addSql,
      values: [
        news.map((one) => one.rid), news.map((one) => one.kind), news.map((one) => one.accountId), news.map((one) => one.version),
        news.map((one) => one.body), claimMs,
      ],
    });
    const added = new Map(rows.filter((row) => row.state === 'pending').map((row) => [`${row.rid} ${row.kind}`, row]));
    // In the order of the news, so that a buyer hears "you have it" before "paid". Each is taken once though it may stand in `news` twice.
    return news.flatMap(({ rid, kind }) => {
      const row = added.get(`${rid} ${kind}`);
      return row && added.delete(`${rid} ${kind}`) ? [messageOf(row)] : [];
    });
  }

  /** Takes pending messages whose deliverer must have died, oldest first; they are the caller's for {@link claimMs}. */
  async claim(limit: number): Promise<BuyerMessage[]> {
    const rows = await this.database.query<Row & { version: number }>(claimSql, [limit, claimMs]);
    return rows.sort((a, b) => a.version - b.version).map(messageOf);
  }

  async noteDelivered(messages: readonly BuyerMessage[]): Promise<void> {
    if (messages.length === 0) return;
    await this.database.query({
      name: 'note-delivered',
      text: deliveredSql,
      values: [messages.map((message) => message.rid), messages.map((message) => message.kind)],
    });
  }
}

const messageOf = (row: Row): BuyerMessage => ({ rid: row.rid, kind: row.kind, accountId: row.account_id, body: row.body });

const addSql = `
INSERT INTO buyer_message (rid, kind, account_id, version, body, state, claimed_until)
SELECT news.rid, news.kind, news.account_id, news.version, news.body,
       CASE WHEN EXISTS (SELECT FROM buyer_message known WHERE known.rid = news.rid AND known.version > news.version)
            THEN 'superseded' ELSE 'pending' END,
       clock_timestamp() + $6 * interval '1 millisecond'
FROM unnest($1::text[], $2::text[], $3::text[], $4::integer[], $5::text[]) AS news (rid, kind, account_id, version, body)
ORDER BY news.rid, news.kind
ON CONFLICT (rid, kind) DO NOTHING
RETURNING rid, kind, account_id, body, state`;

const claimSql = `
UPDATE buyer_message SET claimed_until = clock_timestamp() + $2 * interval '1 millisecond', attempts = attempts + 1
WHERE (rid, kind) IN (
  SELECT rid, kind FROM buyer_message WHERE state = 'pending' AND claimed_until <= clock_timestamp()
  ORDER BY claimed_until LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING rid, kind, account_id, body, version`;

const deliveredSql = `
UPDATE buyer_message SET state = 'delivered', delivered_at = clock_timestamp()
FROM unnest($1::text[], $2::text[]) AS done (rid, kind)
WHERE buyer_message.rid = done.rid AND buyer_message.kind = done.kind AND state = 'pending'`;
