import { Database } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { soldStatesSql, type OrderState } from '../order/order.transitions.js';
import type { MovedMoney, Span } from '../payment-provider/payment-provider.js';
import type { OurPayment } from './settlement.differences.js';

/** A payment as both sides have it; null where a side does not know it. */
export interface Pair {
  ours: OurPayment | null;
  theirs: MovedMoney | null;
}

/** A paid order that no payment stands for. */
export interface OrderWithoutMoney {
  saleId: string;
  orderId: string;
  state: OrderState;
  amount: number;
  currency: string;
}

type OurRow = { [K in keyof OurPayment]: OurPayment[K] | null };
interface StagedRow extends OurRow { theirId: string; theirOrder: string; theirCurrency: string; captured: number; refunded: number }

/** The order that the provider knows the payment by: late money may pay another one than it was asked for. */
const ourColumns = `p.payment_id AS "paymentId", coalesce(p.opened_for, p.rid) AS "orderId", p.amount::float8 AS amount, p.currency, p.state, p.pays, o.state AS "orderState", r.state AS refund`;
const ourJoins = 'JOIN orders o USING (sale_id, rid) LEFT JOIN refund r ON r.payment_id = p.payment_id';
const pageSize = 500;

/** Our side of a comparison beside what was staged of theirs, page by page, so that memory does not grow with the books. */
@Injectable()
export class SettlementRecordsStore {
  constructor(private readonly database: Database) {}

  /** Whatever the provider has, with our payment of that id and this provider. */
  async *staged(id: string, provider: string): AsyncIterable<Pair[]> {
    for (let after = ''; ;) {
      const rows = await this.database.query<StagedRow>({
        name: 'settlement-staged',
        text: `SELECT e.payment_id AS "theirId", e.order_id AS "theirOrder", e.currency AS "theirCurrency", e.captured::float8 AS captured, e.refunded::float8 AS refunded, ours.*
          FROM settlement_entry e LEFT JOIN LATERAL (SELECT ${ourColumns} FROM payment p ${ourJoins} WHERE p.payment_id = e.payment_id AND p.provider = $2) AS ours ON true
          WHERE e.settlement_id = $1 AND e.payment_id > $3 ORDER BY e.payment_id LIMIT ${pageSize}`,
        values: [id, provider, after],
      });
      yield rows.map(({ theirId, theirOrder, theirCurrency, captured, refunded, ...ours }) => ({
        ours: ours.paymentId === null ? null : (ours as OurPayment),
        theirs: { paymentId: theirId, orderId: theirOrder, currency: theirCurrency, captured, refunded },
      }));
      if (rows.length < pageSize) return;
      after = rows.at(-1)!.theirId;
    }
  }

  /** Payments that we say took money within the span, and the provider did not list. */
  async *unlisted(id: string, provider: string, span: Span): AsyncIterable<Pair[]> {
    let after: [time: string, paymentId: string] = [new Date(span.fromMs).toISOString(), ''];
    for (;;) {
      const rows = await this.database.query<OurPayment & { at: string }>({
        name: 'settlement-unlisted',
        text: `SELECT ${ourColumns}, to_char(p.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at FROM payment p ${ourJoins}
          WHERE p.provider = $2 AND p.state IN ('CAPTURED', 'REFUNDED') AND (p.updated_at, p.payment_id) > ($3::timestamptz, $4) AND p.updated_at < $5::timestamptz
            AND NOT EXISTS (SELECT FROM settlement_entry e WHERE e.settlement_id = $1 AND e.payment_id = p.payment_id)
          ORDER BY p.updated_at, p.payment_id LIMIT ${pageSize}`,
        values: [id, provider, ...after, new Date(span.untilMs).toISOString()],
      });
      yield rows.map(({ at: _at, ...ours }) => ({ ours, theirs: null }));
      const last = rows.at(-1);
      if (!last || rows.length < pageSize) return;
      after = [last.at, last.paymentId];
    }
  }

  /** Orders that count as paid since the span, and have no payment that they stand for. */
  async *withoutMoney(span: Span): AsyncIterable<OrderWithoutMoney[]> {
    for (let after: [saleId: string, rid: string] = ['', '']; ;) {
      const rows = await this.database.query<OrderWithoutMoney>({
        name: 'settlement-without-money',
        text: `SELECT o.sale_id AS "saleId", o.rid AS "orderId", o.state, o.amount::float8 AS amount, o.currency FROM orders o
          WHERE o.state IN ${soldStatesSql} AND o.updated_at >= $1 AND o.updated_at < $2 AND (o.sale_id, o.rid) > ($3, $4)
            AND NOT EXISTS (SELECT FROM payment p WHERE p.sale_id = o.sale_id AND p.rid = o.rid AND p.pays)
          ORDER BY o.sale_id, o.rid LIMIT ${pageSize}`,
        values: [new Date(span.fromMs).toISOString(), new Date(span.untilMs).toISOString(), ...after],
      });
      yield rows;
      const last = rows.at(-1);
      if (!last || rows.length < pageSize) return;
      after = [last.saleId, last.orderId];
    }
  }

  /** One payment as it stands now. */
  async one(provider: string, paymentId: string): Promise<OurPayment | null> {
    const [row] = await this.database.query<OurPayment>({
      name: 'settlement-one', text: `SELECT ${ourColumns} FROM payment p ${ourJoins} WHERE p.payment_id = $1 AND p.provider = $2`, values: [paymentId, provider],
    });
    return row ?? null;
  }
}
