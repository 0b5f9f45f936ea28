import type { SaleDocument } from '@floodgate/contracts';
import { Database } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { TeamMessageStore, type TeamNews } from '../team/team-message.store.js';
import type { DigestSale } from './digest.text.js';

/** A sale that is on, or was and has had no last digest. Times by Postgres's clock. */
export interface DueSale extends DigestSale {
  nowMs: number;
  /** What the team was told of it. */
  told: string[];
}

/** The sales, and what the team was told of each. */
@Injectable()
export class DigestStore {
  constructor(private readonly database: Database, private readonly messages: TeamMessageStore) {}

  async noteSale({ saleId, version, state, title, opensAtMs, closesAtMs, items }: SaleDocument): Promise<void> {
    const units = items.reduce((sum, item) => sum + item.quota, 0);
    await this.database.query(
      `INSERT INTO digest_sale (sale_id, version, state, title, opens_at, closes_at, units, items) VALUES ($1, $2, $3, $4, to_timestamp($5 / 1000.0), to_timestamp($6 / 1000.0), $7, $8)
       ON CONFLICT (sale_id) DO UPDATE SET title = $4, opens_at = to_timestamp($5 / 1000.0), closes_at = to_timestamp($6 / 1000.0), units = $7, items = $8,
         version = greatest(digest_sale.version, $2), state = CASE WHEN $2 > digest_sale.version THEN $3 ELSE digest_sale.state END`,
      [saleId, version, state, title, opensAtMs, closesAtMs, units, items.length]);
  }

  async noteState(saleId: string, version: number, state: string): Promise<void> {
    await this.database.query(
      `INSERT INTO digest_sale (sale_id, version, state) VALUES ($1, $2, $3)
       ON CONFLICT (sale_id) DO UPDATE SET version = $2, state = $3 WHERE digest_sale.version < $2`, [saleId, version, state]);
  }

  /** Whether anybody is told digests. */
  async isHeard(): Promise<boolean> {
    return (await this.database.query("SELECT FROM channel WHERE 'digests' = ANY (hears) LIMIT 1")).length > 0;
  }

  due(): Promise<DueSale[]> {
    return this.database.query<DueSale>(dueSql);
  }

  /** Tells it, unless another instance has. @param last nothing is told of this sale any more */
  async tell(saleId: string, key: string, news: TeamNews, last: boolean): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      const [mine] = await tx.query('INSERT INTO digest (sale_id, occasion) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING sale_id', [saleId, key]);
      if (mine) await this.messages.add(tx, 'digests', [news]);
      if (last) await tx.query('UPDATE digest_sale SET done = true WHERE sale_id = $1', [saleId]);
      return mine !== undefined;
    });
  }

  /** Nothing is to be told of it any more. */
  async drop(saleId: string): Promise<void> {
    await this.database.query('UPDATE digest_sale SET done = true WHERE sale_id = $1', [saleId]);
  }
}

const ms = (column: string): string => `(extract(epoch FROM ${column}) * 1000)::bigint`;
const dueSql = `
SELECT sale_id AS "saleId", title, state, ${ms('opens_at')} AS "opensAtMs", ${ms('closes_at')} AS "closesAtMs", units, items, ${ms('clock_timestamp()')} AS "nowMs",
  ARRAY(SELECT occasion FROM digest WHERE digest.sale_id = digest_sale.sale_id) AS told
FROM digest_sale WHERE NOT done AND title IS NOT NULL AND (opens_at <= clock_timestamp() OR state IN ('ENDED', 'WITHDRAWN', 'REJECTED')) ORDER BY opens_at LIMIT 50`;
