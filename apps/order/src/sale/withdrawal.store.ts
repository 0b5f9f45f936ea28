import type { View } from '@floodgate/contracts';
import { Database } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';

/** Orders that a withdrawal is not done with: unpaid ones have to be closed, those that stand for money refunded. */
export const openStates = ['PENDING', 'STUCK', 'CLOSING', 'PAID', 'FULFILLED'] as const;

export interface OpenOrder {
  rid: string;
  state: (typeof openStates)[number];
  /** A payment is open at the provider, which must be asked before the order may close. */
  paying: boolean;
}

/** How far the withdrawal of sales has come. */
@Injectable()
export class WithdrawalStore {
  constructor(private readonly database: Database) {}

  /** Withdrawn sales of which not every order is known to be on its way out. */
  async unfinished(): Promise<{ saleId: string; lanes: number }[]> {
    return this.database.query(`SELECT sale_id AS "saleId", lanes FROM sale WHERE state = 'WITHDRAWN' AND NOT withdrawal_done ORDER BY sale_id`);
  }

  /** A page of what is open, by id. An order that is CLOSING is among it, because it may still turn out to be paid. */
  async open(saleId: string, after: string, limit: number): Promise<OpenOrder[]> {
    return this.database.query<OpenOrder>(
      `SELECT o.rid, o.state, EXISTS (SELECT 1 FROM payment p WHERE p.sale_id = o.sale_id AND p.rid = o.rid AND p.state IN ('STARTING', 'OPEN')) AS paying
       FROM orders o WHERE o.sale_id = $1 AND o.rid > $2 AND o.state = ANY($3) ORDER BY o.rid LIMIT $4`, [saleId, after, openStates, limit]);
  }

  async noteDone(saleId: string): Promise<void> {
    await this.database.query('UPDATE sale SET withdrawal_done = true WHERE sale_id = $1', [saleId]);
  }

  /** Counts the sale's orders by where they stand. */
  async progress(saleId: string): Promise<View.WithdrawalView> {
    const rows = await this.database.query<{ open: number; refunding: number; closed: number; total: number }>(
      `SELECT count(*) FILTER (WHERE state = ANY($2))::int AS open, count(*) FILTER (WHERE state = 'REFUNDING')::int AS refunding,
         count(*) FILTER (WHERE state = 'CLOSED')::int AS closed, count(*)::int AS total FROM orders WHERE sale_id = $1`, [saleId, openStates]);
    const counts = rows[0]!;
    return { saleId, ...counts, done: counts.open === 0 && counts.refunding === 0 };
  }
}
