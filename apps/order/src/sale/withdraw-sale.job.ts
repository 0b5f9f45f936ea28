import { crashPoint, Database, Shutdown, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { lockStock } from '../ledger/lane-stock.js';
import { OrderStore } from '../order/order.store.js';
import { PurchaseSaga } from '../place-order/purchase.saga.js';
import { SoloTask } from '../schedule/solo-task.js';

const pauseMs = 1_000;
/** Orders per transaction: the lane is locked meanwhile. */
const chunkSize = 500;

interface Open {
  rid: string;
  state: 'PENDING' | 'STUCK' | 'PAID' | 'CLOSING';
  /** A payment is open at the provider, which must be asked before the order may close. */
  paying: boolean;
}

/**
 * Brings every order of a withdrawn sale on its way out: unpaid ones are closed (through CLOSING where a payment is open), paid ones
 * go to REFUNDING; sweeper and payments take them from there. Resumable at any point: it looks for what is left, and notes when nothing is.
 */
@Injectable()
export class WithdrawSaleJob {
  private readonly task: SoloTask;

  constructor(
    private readonly database: Database, private readonly orders: OrderStore, private readonly saga: PurchaseSaga, shutdown: Shutdown,
  ) {
    this.task = new SoloTask('withdraw-sale', () => this.run(), shutdown);
  }

  @Interval(pauseMs)
  tick(): Promise<void> {
    return this.task.tick();
  }

  /** One round over all withdrawn sales. Two at a time are harmless: every step is a compare-and-set. */
  async run(): Promise<void> {
    const sales = await this.database.query<{ saleId: string; lanes: number }>(
      `SELECT sale_id AS "saleId", lanes FROM sale WHERE state = 'WITHDRAWN' AND NOT withdrawal_done`);
    for (const { saleId, lanes } of sales) await this.withdraw(saleId, lanes);
  }

  private async withdraw(saleId: string, lanes: number): Promise<void> {
    // Whoever judged by the state before holds a lane's lock; once each lock was had, every later judgement sees WITHDRAWN.
    await this.database.transaction((tx) => lockStock(tx, saleId, new Map(Array.from({ length: lanes }, (_, lane) => [lane, []]))));
    let seen = 0;
    for (let after: string | undefined = ''; after !== undefined;) {
      const chunk: Open[] = await this.open(saleId, after);
      seen += chunk.length;
      await this.database.transaction(async (tx) => {
        await this.moveOut(tx, saleId, chunk);
        crashPoint('withdraw.before-commit');
      });
      crashPoint('withdraw.after-commit');
      after = chunk.at(-1)?.rid;
    }
    if (seen === 0) await this.database.query('UPDATE sale SET withdrawal_done = true WHERE sale_id = $1', [saleId]);
  }

  private async moveOut(tx: Transaction, saleId: string, chunk: readonly Open[]): Promise<void> {
    const rids = (state: Open['state'], paying: boolean) => chunk.filter((order) => order.state === state && order.paying === paying).map((order) => order.rid);
    await this.saga.closeOrders(tx, saleId, [...rids('PENDING', false), ...rids('STUCK', false)], 'sale-withdrawn');
    await this.orders.startClosing(tx, saleId, rids('PENDING', true), 'sale-withdrawn');
    await this.orders.startRefunding(tx, saleId, [...rids('PAID', false), ...rids('PAID', true)], 'sale-withdrawn');
  }

  /** What the withdrawal is not done with. An order that is CLOSING may still turn out to be paid. */
  private async open(saleId: string, after: string): Promise<Open[]> {
    return this.database.query<Open>(
      `SELECT o.rid, o.state, EXISTS (SELECT 1 FROM payment p WHERE p.sale_id = o.sale_id AND p.rid = o.rid AND p.state IN ('STARTING', 'OPEN')) AS paying
       FROM orders o WHERE o.sale_id = $1 AND o.rid > $2 AND o.state IN ('PENDING', 'STUCK', 'PAID', 'CLOSING') ORDER BY o.rid LIMIT $3`,
      [saleId, after, chunkSize]);
  }
}
