import { createDatabase } from '@floodgate/platform/testing';
import { Database, migrate, Outbox, type Transaction } from '@floodgate/platform';
import type { MessageBody, MessageName, Reservation, SaleDocument } from '@floodgate/contracts';
import { AdminActs } from '../audit-log/admin-acts.js';
import { InventoryStore } from '../inventory/inventory.store.js';
import type { LedgerEntry } from '../ledger/entries.js';
import { lockStock } from '../ledger/lane-stock.js';
import { LedgerStore } from '../ledger/ledger.store.js';
import { ClaimCodes } from '../codes/claim-codes.js';
import { CodeClaimStore } from '../codes/code-claim.store.js';
import { CodeOwnerStore } from '../codes/code-owner.store.js';
import { VoucherItems } from '../codes/voucher-items.js';
import { migrations } from '../migrations/migrations.js';
import { OrderAnnouncer } from '../order/order.announcer.js';
import { OrderStore } from '../order/order.store.js';
import type { OrderRow } from '../order/order.row.js';
import { PaymentStore } from '../payment/payment.store.js';
import { StoredPaymentCloser } from '../payment/stored-payment.closer.js';
import { AccountUsageStore } from '../place-order/account-usage.store.js';
import { CreateOrder } from '../place-order/create-order.js';
import { HoldStock } from '../place-order/hold-stock.js';
import { PurchaseSaga } from '../place-order/purchase.saga.js';
import { PurchaseSteps } from '../place-order/purchase.steps.js';
import { TakeInventory } from '../place-order/take-inventory.js';
import { PostgresWarehouse } from '../warehouse/postgres.warehouse.js';
import { SaleStore } from '../sale/sale.store.js';

interface SaleOptions {
  /** Per item; quota and inventory default to 10. */
  items?: { quota?: number; perAccount?: number | null; inventory?: number; price?: number }[];
  perAccount?: number | null;
  lanes?: number;
}

/** The saga on a database of its own: sales are stocked as the consumer does it, nothing leaves the outbox. */
export class PurchaseFixture {
  private serial = 0;

  private constructor(
    readonly database: Database, readonly saga: PurchaseSaga, readonly sales: SaleStore, readonly orders: OrderStore,
    readonly ledger: LedgerStore, readonly inventory: InventoryStore, readonly drop: () => Promise<void>,
  ) {}

  static async start(): Promise<PurchaseFixture> {
    const { url, drop } = await createDatabase();
    const options = { url, schema: 'orders', applicationName: 'test', migrations };
    const dataSource = await migrate(options);
    await dataSource.destroy();
    const database = new Database(options);
    const [sales, orders, ledger, inventory] = [new SaleStore(database), new OrderStore(database), new LedgerStore(), new InventoryStore(database, new AdminActs(new Outbox()), new PostgresWarehouse(database))];
    const steps = new PurchaseSteps(
      new HoldStock(ledger, new AccountUsageStore()), new TakeInventory(inventory), new CreateOrder(orders, new OrderAnnouncer(new Outbox())),
      new StoredPaymentCloser(new PaymentStore(database)), new ClaimCodes(new CodeClaimStore(database), new CodeOwnerStore(database), new VoucherItems(database)));
    return new PurchaseFixture(database, new PurchaseSaga(steps, orders, sales), sales, orders, ledger, inventory, async () => {
      await database.close();
      await drop();
    });
  }

  tx<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.transaction(work);
  }

  /** A stocked sale; returns its id. Items are `<id>-1`, `<id>-2`, …, each of a SKU of its own. */
  async sale({ items = [{}], perAccount = null, lanes = 1 }: SaleOptions = {}): Promise<string> {
    const saleId = `S${String(++this.serial).padStart(9, '0')}`;
    const document: SaleDocument = {
      saleId, version: 1, state: 'APPROVED', title: 'Sale', merchantId: 'merchant', mode: 'race', opensAtMs: 0, closesAtMs: 4e12,
      paymentWindowMs: 600_000, latePayment: 'refund', limits: { perAccount, perIp: null }, challenge: 'none', currency: 'GBP', ridSecret: 'ab'.repeat(16), lanes,
      items: items.map((item, index) => ({
        itemId: `${saleId}-${index + 1}`, skuId: `${saleId}-sku-${index + 1}`, title: `Item ${index + 1}`, imageUrl: null, kind: 'goods' as const,
        price: item.price ?? 250, listPrice: null, quota: item.quota ?? 10, perAccount: item.perAccount ?? null,
      })),
    };
    await this.tx(async (tx) => {
      await this.sales.copy(tx, document);
      const all = Array.from({ length: lanes }, (_, lane) => lane);
      const stock = await lockStock(tx, saleId, new Map(all.map((lane) => [lane, document.items.map((item) => item.itemId)])));
      const entries = all.flatMap((lane) => document.items.map((item): LedgerEntry => (
        { lane, operationId: `arm:${lane}`, itemId: item.itemId, entry: 'STOCK_IN', quantity: Math.floor(item.quota / lanes) })));
      await this.ledger.record(tx, stock, entries.filter((entry) => entry.quantity > 0), Date.now());
      await this.inventory.promised(tx, new Map(document.items.map((item, index) => [item.skuId, items[index]!.inventory ?? item.quota])));
    });
    return saleId;
  }

  /** One reservation of `quantity` units of the sale's first item, unless `changes` say otherwise. */
  reservation(saleId: string, changes: Partial<Reservation> & { quantity?: number } = {}): Reservation {
    const number = ++this.serial;
    const { quantity = 1, ...rest } = changes;
    return {
      rid: `${saleId}.${String(number).padStart(22, '0')}`, accountId: `account-${number}`, ipHash: '', items: [{ itemId: `${saleId}-1`, quantity }], number,
      reservedAtMs: Date.now(), ...rest,
    };
  }

  place(saleId: string, reservations: Reservation[], lane = 0): Promise<OrderRow[]> {
    return this.tx((tx) => this.saga.place(tx, saleId, lane, reservations));
  }

  close(saleId: string, rids: string[], reason: NonNullable<OrderRow['reason']> = 'payment-timeout'): Promise<OrderRow[]> {
    return this.tx((tx) => this.saga.closeOrders(tx, saleId, rids, reason));
  }

  pay(saleId: string, rid: string): Promise<OrderRow | null> {
    return this.tx((tx) => this.saga.markPaid(tx, saleId, rid));
  }

  /** State and reason of each, such as `PENDING` or `CLOSED order-rejected`; `none` without a row. */
  async fates(reservations: readonly { rid: string }[]): Promise<string[]> {
    const rows = await Promise.all(reservations.map(({ rid }) => this.orders.find(rid)));
    return rows.map((row) => (row ? [row.state, row.reason].filter(Boolean).join(' ') : 'none'));
  }

  async counters(saleId: string, item = 1): Promise<{ held: number; sold: number; free: number; taken: number }> {
    const [row] = await this.database.query<{ held: number; sold: number; free: number; taken: number }>(
      `SELECT sum(l.held)::int AS held, sum(l.sold)::int AS sold, sum(l.allotment - l.held - l.sold - l.burned)::int AS free,
         (SELECT taken FROM inventory v WHERE v.sku_id = i.sku_id) AS taken
       FROM lane_item l JOIN sale_item i USING (sale_id, item_id) WHERE i.sale_id = $1 AND i.item_no = $2 GROUP BY i.sku_id`, [saleId, item]);
    return row!;
  }

  /** The ledger of one reservation, in order, such as `HOLD 1`. */
  async entries(saleId: string, rid: string): Promise<string[]> {
    const rows = await this.database.query<{ text: string }>(
      `SELECT entry || ' ' || quantity AS text FROM ledger WHERE sale_id = $1 AND operation_id = $2 ORDER BY seq`, [saleId, rid]);
    return rows.map((row) => row.text);
  }

  /** What went into the outbox for one sale, oldest first. */
  async said<N extends MessageName>(name: N, saleId: string): Promise<MessageBody<N>[]> {
    const rows = await this.database.query<{ body: string }>('SELECT body FROM outbox WHERE name = $1 ORDER BY id', [name]);
    return rows.map((row) => JSON.parse(row.body) as MessageBody<N> & { saleId: string }).filter((body) => body.saleId === saleId);
  }
}
