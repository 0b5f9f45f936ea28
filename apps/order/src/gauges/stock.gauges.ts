import { gaugeFrom, Shutdown } from '@floodgate/platform';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { SoloTask } from '../schedule/solo-task.js';
import { StockGaugeStore, type SaleUnits, type ServerSigns } from './stock-gauge.store.js';

const everyMs = 5_000;
/** Three rounds without an answer: what was known is not shown as if it still held. */
const staleMs = 3 * everyMs;

const stockUnits = gaugeFrom('floodgate_stock_units', 'Units of a live sale by their fate, as Postgres has them: available, held, sold, burned.', 'sale', 'fate');
const unaccountedUnits = gaugeFrom('floodgate_stock_unaccounted_units', 'The invariant: the quota of a live sale less its units of all fates. Anything but 0 is a fault.', 'sale');
const oversoldUnits = gaugeFrom('floodgate_oversold_units', 'Units of a live sale that were promised beyond its quota. Anything but 0 is a fault.', 'sale');
const closeLag = gaugeFrom('floodgate_close_lag_seconds', 'By how much the oldest unpaid order is past its time to pay.');
const postgresUp = gaugeFrom('floodgate_postgres_up', '1 while Postgres has answered within the last rounds.');
const oldestTransaction = gaugeFrom('floodgate_postgres_oldest_transaction_seconds', 'How long the oldest transaction of the database has been open.');
const clockSkew = gaugeFrom('floodgate_clock_skew_seconds', 'By how much the clock of a server is ahead of this process.', 'server');

/** Stock by fate, the invariant over it, and how Postgres itself is, read every few seconds. */
@Injectable()
export class StockGauges implements OnModuleDestroy {
  private readonly task: SoloTask;
  private sales: SaleUnits[] = [];
  private signs: ServerSigns & { skewSeconds: number } | null = null;
  private answeredAtMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly store: StockGaugeStore, shutdown: Shutdown) {
    this.task = new SoloTask('stock-gauges', () => this.measure(), shutdown);
    this.show();
  }

  @Interval(everyMs)
  tick(): Promise<void> {
    return this.task.tick();
  }

  onModuleDestroy(): Promise<void> {
    return this.task.stop();
  }

  private get fresh(): boolean {
    return performance.now() - this.answeredAtMs < staleMs;
  }

  private show(): void {
    const ofSales = (value: (sale: SaleUnits) => number) => () => (this.fresh ? this.sales.map((sale) => [{ sale: sale.saleId }, value(sale)] as const) : []);
    const ofServer = (value: (signs: ServerSigns) => number) => () => (this.fresh && this.signs ? [[{}, value(this.signs)] as const] : []);
    stockUnits.read = () => (this.fresh ? this.sales.flatMap(fates) : []);
    unaccountedUnits.read = ofSales(({ quota, allotment }) => quota - allotment);
    oversoldUnits.read = ofSales(({ oversold }) => oversold);
    closeLag.read = ofServer(({ closeLagSeconds }) => closeLagSeconds);
    oldestTransaction.read = ofServer(({ oldestTransactionSeconds }) => oldestTransactionSeconds);
    postgresUp.read = () => [[{}, Number(this.fresh)]];
    clockSkew.read = () => (this.fresh && this.signs ? [[{ server: 'postgres' }, this.signs.skewSeconds]] : []);
  }

  private async measure(): Promise<void> {
    this.sales = await this.store.liveSales();
    const beforeMs = Date.now();
    const signs = await this.store.signs();
    // The server read its clock somewhere between question and answer.
    this.signs = { ...signs, skewSeconds: (signs.nowMs - (beforeMs + Date.now()) / 2) / 1_000 };
    this.answeredAtMs = performance.now();
  }
}

const fates = ({ saleId, allotment, held, sold, burned }: SaleUnits) =>
  Object.entries({ available: allotment - held - sold - burned, held, sold, burned }).map(([fate, units]) => [{ sale: saleId, fate }, units] as const);
