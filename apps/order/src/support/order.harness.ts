import { randomBytes, randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import { itemId, reservationId, type Ask, type ReleaseReason, type Reservation, type SaleDocument, type View } from '@floodgate/contracts';
import { Database, setLogLevel } from '@floodgate/platform';
import { eventually, startService, type RunningService } from '@floodgate/platform/testing';
import { AppModule } from '../app.module.js';
import type { WarehouseConfig } from '../config.js';
import type { OrderRow } from '../order/order.row.js';
import { OrderStore } from '../order/order.store.js';
import { isSold, type OrderState } from '../order/order.transitions.js';
import type { PaymentProvider } from '../payment-provider/payment-provider.js';
import { PaymentProviders } from '../payment-provider/payment-providers.js';
import { PurchaseSaga } from '../place-order/purchase.saga.js';
import { PretendProvider } from './pretend.provider.js';

export const price = 250;
export const currency = 'GBP';
export const codeSecrets = { CODE_KEYS: [{ id: 'k1', secret: 'code-secret-of-the-tests' }], CODE_FINGERPRINT_KEY: 'code-fingerprint-of-the-tests' };
const unreachable = 'http://127.0.0.1:9';

/** One unit of a sale, reserved by one account. */
export interface Placed {
  saleId: string;
  rid: string;
  accountId: string;
  reservation: Reservation;
}

/** Counters of a sale's one item. */
export interface Units {
  held: number;
  sold: number;
  free: number;
}

/** The order service on real servers, with short words for what tests do. The provider is pretended unless one is given. */
export class OrderHarness {
  private constructor(readonly service: RunningService, readonly provider: PretendProvider) {}

  /** `beside`: another instance of the same service, with the same provider; stop it before that one. `others`: providers besides `sandbox`. `warehouse`: one outside.
   *  `through`: the way to the database, where it is not direct. */
  static async start(
    sandbox?: { url: string; apiKey: string; webhookSecret: string; callbackUrl: string }, beside?: OrderHarness, others: (database: Database) => PaymentProvider[] = () => [],
    warehouse: WarehouseConfig = {}, through: (databaseUrl: string) => string = (url) => url,
  ): Promise<OrderHarness> {
    setLogLevel('fatal');
    const provider = beside?.provider ?? new PretendProvider();
    const service = await startService(
      ({ DATABASE_URL }) => AppModule.with({
        DATABASE_URL: through(DATABASE_URL), SANDBOX_URL: sandbox?.url ?? unreachable, SANDBOX_API_KEY: sandbox?.apiKey ?? 'key', SANDBOX_WEBHOOK_SECRET: [sandbox?.webhookSecret ?? 'secret'],
        CALLBACK_URL: sandbox?.callbackUrl ?? unreachable, ...codeSecrets, ...warehouse,
      }),
      (builder) => (sandbox ? builder : builder.overrideProvider(PaymentProviders).useFactory({ factory: (database: Database) => new PaymentProviders([provider, ...others(database)]), inject: [Database] })),
      beside?.service.place,
    );
    return new OrderHarness(service, provider);
  }

  get database(): Database { return this.service.get(Database); }
  get saga(): PurchaseSaga { return this.service.get(PurchaseSaga); }
  get orders(): OrderStore { return this.service.get(OrderStore); }

  /** An approved sale of one item that has been copied. */
  async sale(changes: Partial<SaleDocument> = {}, quota = 10): Promise<SaleDocument> {
    const saleId = changes.saleId ?? randomBytes(5).toString('hex');
    const now = Date.now();
    const sale: SaleDocument = {
      saleId, version: 3, state: 'APPROVED', title: 'Test sale', merchantId: 'm-1', mode: 'race', opensAtMs: now - 1_000, closesAtMs: now + 600_000, paymentWindowMs: 600_000,
      latePayment: 'refund', limits: { perAccount: null, perIp: null }, challenge: 'none', currency, ridSecret: randomBytes(32).toString('hex'), lanes: 1,
      items: [{ itemId: itemId(saleId, 1), skuId: `sku-${saleId}`, title: 'Item', imageUrl: null, kind: 'goods', price, listPrice: null, quota, perAccount: null }],
      ...changes,
    };
    await this.service.publisher.publish('sale.approved', sale);
    await eventually(async () => expect(await this.database.query('SELECT FROM sale WHERE sale_id = $1', [saleId])).toHaveLength(1));
    return sale;
  }

  /** One unit, as Redis would have reserved it; nothing is written yet. */
  reserved(sale: SaleDocument, accountId: string = randomUUID()): Placed {
    const rid = reservationId(sale.saleId, sale.ridSecret, accountId, randomUUID());
    const reservation: Reservation = { rid, accountId, ipHash: '', items: [{ itemId: sale.items[0]!.itemId, quantity: 1 }], number: 1, reservedAtMs: Date.now() };
    return { saleId: sale.saleId, rid, accountId, reservation };
  }

  /** An order that waits for payment, of a sale of its own unless one is given. */
  async order(sale?: SaleDocument): Promise<Placed> {
    const placed = this.reserved(sale ?? (await this.sale()));
    await this.database.transaction((tx) => this.saga.place(tx, placed.saleId, 0, [placed.reservation]));
    expect(await this.state(placed)).toBe('PENDING');
    return placed;
  }

  /** An order in the state wanted, of a sale of its own unless one is given. CLOSING is for `payment-timeout`, and left alone by the sweeper for a minute. */
  async orderIn(state: OrderState, { sale, reason = 'payment-timeout' }: { sale?: SaleDocument; reason?: ReleaseReason } = {}): Promise<Placed> {
    if (state === 'STUCK') {
      const placed = this.reserved(sale ?? (await this.sale()));
      await this.database.transaction((tx) => this.saga.park(tx, placed.saleId, 0, [placed.reservation]));
      return placed;
    }
    const placed = await this.order(sale);
    const { saleId, rid } = placed;
    await this.database.transaction(async (tx) => {
      if (isSold(state)) await this.saga.markPaid(tx, saleId, rid);
      if (state === 'FULFILLED') await this.orders.fulfil(tx, saleId, [rid]);
      if (state === 'REFUNDING') await this.orders.startRefunding(tx, saleId, [rid], 'sale-withdrawn');
      if (state === 'CLOSED') await this.saga.closeOrders(tx, saleId, [rid], reason);
      if (state !== 'CLOSING') return;
      await this.orders.startClosing(tx, saleId, [rid], 'payment-timeout');
      await tx.query(`UPDATE orders SET next_attempt_at = clock_timestamp() + interval '1 minute' WHERE rid = $1`, [rid]);
    });
    expect((await this.row(placed)).state).toBe(state);
    return placed;
  }

  async row({ rid }: Pick<Placed, 'rid'>): Promise<OrderRow> {
    const row = await this.orders.find(rid);
    if (!row) throw new Error(`there is no order ${rid}`);
    return row;
  }

  /** State, with the reason where there is one. */
  async state(placed: Pick<Placed, 'rid'>): Promise<string> {
    const { state, reason } = await this.row(placed);
    return reason ? `${state} ${reason}` : state;
  }

  async units({ saleId }: Pick<Placed, 'saleId'>): Promise<Units> {
    const [row] = await this.database.query<Units>('SELECT held, sold, allotment - held - sold - burned AS free FROM lane_item WHERE sale_id = $1', [saleId]);
    return row!;
  }

  /** The ledger's entries of one order, in order. */
  async entries({ rid }: Pick<Placed, 'rid'>): Promise<string[]> {
    const rows = await this.database.query<{ entry: string }>('SELECT entry FROM ledger WHERE operation_id = $1 ORDER BY seq', [rid]);
    return rows.map((row) => row.entry);
  }

  startPayment(placed: Pick<Placed, 'rid' | 'accountId'>, changes: Partial<Ask<'start-payment'>> = {}) {
    return this.service.client.ask('start-payment', { rid: placed.rid, accountId: placed.accountId, key: randomUUID(), provider: 'sandbox', returnUrl: null, ...changes });
  }

  /** Starts a payment and answers it; throws where it was refused. */
  async payment(placed: Placed): Promise<View.PaymentView> {
    const outcome = await this.startPayment(placed);
    if (!outcome.ok) throw new Error(outcome.detail);
    return outcome.value.payment;
  }

  cancel(placed: Pick<Placed, 'rid' | 'accountId'>, changes: Partial<Ask<'cancel-order'>> = {}) {
    return this.service.client.ask('cancel-order', { rid: placed.rid, accountId: placed.accountId, key: randomUUID(), reservation: null, ...changes });
  }

  stop(): Promise<void> {
    return this.service.stop();
  }
}
