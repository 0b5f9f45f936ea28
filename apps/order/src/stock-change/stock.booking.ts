import type { StockChangeView, TakeBack } from '@floodgate/contracts';
import { Outbox, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { InventoryStore } from '../inventory/inventory.store.js';
import type { LedgerEntry } from '../ledger/entries.js';
import { freeUnits, lockStock, type LaneStock } from '../ledger/lane-stock.js';
import { LedgerStore } from '../ledger/ledger.store.js';
import { SaleMissingError, SaleStore } from '../sale/sale.store.js';
import { StockChangeStore, takeBackRow, type StockChange } from './stock-change.store.js';

/** Books changes of a sale's stock: allotment, quota, ledger and messages in one transaction; Redis and the others go by the versions in them. */
@Injectable()
export class StockBooking {
  constructor(
    private readonly changes: StockChangeStore, private readonly ledger: LedgerStore, private readonly inventory: InventoryStore,
    private readonly sales: SaleStore, private readonly outbox: Outbox,
  ) {}

  /** Adds units in equal shares to all lanes. Repeated under the same id it changes nothing; returns what stands then. */
  async add(tx: Transaction, change: Omit<StockChange, 'state' | 'answer'>, lanes: number): Promise<StockChange> {
    const { saleId, itemId, rid, delta } = change;
    const all = Array.from({ length: lanes }, (_, lane) => lane);
    const stock = await lockStock(tx, saleId, new Map(all.map((lane) => [lane, [itemId]])));
    const item = stock.get(0, itemId);
    await this.inventory.lock(tx, [new Map([[item.skuId, delta]])]);
    await this.changes.write(tx, change);
    const row = (await this.changes.lock(tx, saleId, rid))!;
    if (row.state !== 'ASKED' || row.delta !== delta || row.reason !== change.reason) return row;
    const shares = all.map((lane) => ({ lane, units: Math.floor(delta / lanes) + (lane < delta % lanes ? 1 : 0) })).filter(({ units }) => units > 0);
    const entries = shares.map(({ lane, units }): LedgerEntry => ({ lane, operationId: lane === 0 ? rid : `${rid}#${lane}`, itemId, entry: 'STOCK_IN', quantity: units }));
    const answer = await this.book(tx, stock, row, entries);
    for (const { lane } of shares) {
      await this.outbox.add(tx, 'sync-stock', [{ saleId, lane, rows: [], allotments: [await this.changes.allotment(tx, saleId, lane, itemId)] }]);
    }
    await this.changes.decide(tx, row, { state: 'BOOKED', answer, taken: null });
    return { ...row, state: 'BOOKED', answer };
  }

  /**
   * Books units that the reserve script has taken out of sale: STOCK_OUT, and Redis lets go of them with the smaller allotment.
   * Where Postgres does not have them free (Redis had forgotten something), Redis alone lets go. What is decided is said again.
   */
  async takeBack(tx: Transaction, saleId: string, lane: number, takeBack: TakeBack): Promise<StockChange> {
    const { rid, itemId, quantity } = takeBack;
    const stock = await lockStock(tx, saleId, new Map([[lane, [itemId]]]));
    const item = stock.find(lane, itemId);
    if (!item) throw new SaleMissingError(saleId);
    await this.inventory.lock(tx, [new Map([[item.skuId, quantity]])]);
    const row = await this.asked(tx, saleId, lane, takeBack);
    if (row.state === 'BOOKED' || row.state === 'REJECTED') {
      await this.settle(tx, row, takeBack);
      return row;
    }
    const isFree = freeUnits(item) >= quantity;
    const answer = isFree ? await this.book(tx, stock, row, [{ lane, operationId: rid, itemId, entry: 'STOCK_OUT', quantity }]) : null;
    const state = isFree ? 'BOOKED' : 'REJECTED';
    await this.changes.decide(tx, row, { state, answer, taken: takeBack });
    await this.settle(tx, row, takeBack);
    return { ...row, state, answer };
  }

  /** The row of the act. It was written before Redis was asked; what nobody knows of is given back rather than booked without a reason. */
  private async asked(tx: Transaction, saleId: string, lane: number, { rid, itemId, quantity, number, reservedAtMs }: TakeBack): Promise<StockChange> {
    const row = await this.changes.lock(tx, saleId, rid);
    if (row) return { ...row, lane, delta: -quantity };
    const lost = { saleId, rid, lane, itemId, delta: -quantity, accountId: 'platform', reason: 'no record of who asked for it' };
    await this.changes.write(tx, lost);
    const written = { ...lost, state: 'ASKED', answer: null } satisfies StockChange;
    await this.changes.decide(tx, written, { state: 'REJECTED', answer: null, taken: { number, reservedAtMs } });
    return { ...written, state: 'REJECTED' };
  }

  private async book(tx: Transaction, stock: LaneStock, change: StockChange, entries: readonly LedgerEntry[]): Promise<StockChangeView> {
    const { saleId, itemId, rid, delta, accountId, reason } = change;
    const sale = await this.sales.read(tx, saleId);
    if (!sale) throw new SaleMissingError(saleId);
    await this.ledger.record(tx, stock, entries, sale.readAtMs);
    const { item, quotaBefore } = await this.changes.moveQuota(tx, saleId, itemId, delta);
    await this.inventory.changed(tx, item.skuId, delta);
    await this.outbox.add(tx, 'stock.changed', [{
      saleId, itemId, changeId: rid, stockVersion: item.stockVersion, quota: item.quota, quotaBefore, accountId, reason, atMs: sale.readAtMs,
    }]);
    return { ...item, itemId, delta, available: freeUnits(stock.get(entries[0]!.lane, itemId)) };
  }

  /** One message: an allotment that shrinks and the row that held its units must reach Redis together. */
  private async settle(tx: Transaction, { saleId, lane }: StockChange, takeBack: TakeBack): Promise<void> {
    const { rid, itemId, quantity } = takeBack;
    const allotment = await this.changes.allotment(tx, saleId, lane, itemId);
    await this.outbox.add(tx, 'sync-stock', [{ saleId, lane, rows: [takeBackRow(rid, itemId, quantity, takeBack)], allotments: [allotment] }]);
  }
}
