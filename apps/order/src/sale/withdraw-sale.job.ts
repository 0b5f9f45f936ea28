import { classifyFailure, crashPoint, createLogger, Database, Shutdown, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { lockStock } from '../ledger/lane-stock.js';
import { OrderStore } from '../order/order.store.js';
import { PurchaseSaga } from '../place-order/purchase.saga.js';
import { SoloTask } from '../schedule/solo-task.js';
import { WithdrawalStore, type OpenOrder } from './withdrawal.store.js';

const pauseMs = 1_000;
/** Orders per transaction: the lane is locked meanwhile. */
export const pageMax = 500;

/**
 * Brings every order of a withdrawn sale on its way out: unpaid ones are closed (through CLOSING where a payment is open), those that
 * stand for money, fulfilled ones too, go to REFUNDING; sweeper and payments take them from there. Resumable at any point: it looks for
 * what is left, and notes when nothing is.
 */
@Injectable()
export class WithdrawSaleJob {
  private readonly log = createLogger('withdraw-sale');
  private readonly task: SoloTask;

  constructor(
    private readonly database: Database, private readonly orders: OrderStore, private readonly saga: PurchaseSaga,
    private readonly withdrawals: WithdrawalStore, shutdown: Shutdown,
  ) {
    this.task = new SoloTask('withdraw-sale', () => this.run(), shutdown);
  }

  @Interval(pauseMs)
  tick(): Promise<void> {
    return this.task.tick();
  }

  /** One round over all withdrawn sales. Two at a time are harmless: every step is a compare-and-set. */
  async run(): Promise<void> {
    for (const { saleId, lanes } of await this.withdrawals.unfinished()) await this.withdraw(saleId, lanes);
  }

  private async withdraw(saleId: string, lanes: number): Promise<void> {
    // Whoever judged by the state before holds a lane's lock; once each lock was had, every later judgement sees WITHDRAWN.
    await this.database.transaction((tx) => lockStock(tx, saleId, new Map(Array.from({ length: lanes }, (_, lane) => [lane, []]))));
    let seen = 0;
    for (let after: string | undefined = ''; after !== undefined;) {
      const page: OpenOrder[] = await this.withdrawals.open(saleId, after, pageMax);
      seen += page.length;
      if (page.length > 0) await this.moveOut(saleId, page);
      after = page.at(-1)?.rid;
    }
    if (seen === 0) await this.withdrawals.noteDone(saleId);
  }

  /** All in one transaction; one that cannot go must not keep the others, so then each in its own. What stays is tried again each round. */
  private async moveOut(saleId: string, page: readonly OpenOrder[]): Promise<void> {
    try {
      await this.database.transaction(async (tx) => {
        await this.moveAllOut(tx, saleId, page);
        crashPoint('withdraw.before-commit');
      });
      crashPoint('withdraw.after-commit');
    } catch (error) {
      if (classifyFailure(error) === 'infrastructure') throw error;
      if (page.length > 1) for (const order of page) await this.moveOut(saleId, [order]);
      else this.log.error({ rid: page[0]?.rid, err: error }, 'an order of a withdrawn sale does not go');
    }
  }

  private async moveAllOut(tx: Transaction, saleId: string, page: readonly OpenOrder[]): Promise<void> {
    const rids = (fits: (order: OpenOrder) => boolean) => page.filter(fits).map((order) => order.rid);
    await this.saga.closeOrders(tx, saleId, rids(({ state, paying }) => state === 'STUCK' || (state === 'PENDING' && !paying)), 'sale-withdrawn');
    await this.orders.startClosing(tx, saleId, rids(({ state, paying }) => state === 'PENDING' && paying), 'sale-withdrawn');
    await this.orders.startRefunding(tx, saleId, rids(({ state }) => state === 'PAID' || state === 'FULFILLED'), 'sale-withdrawn', ['PAID', 'FULFILLED']);
  }
}
