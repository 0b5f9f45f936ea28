import { accept, refuse, type Answer, type Ask, type ExplanationView, type OrderView, type Refusal } from '@floodgate/contracts';
import { Answers, Database, isoTime } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { SaleStore } from '../sale/sale.store.js';
import { maySeeSale } from '../sale/may-see-sale.js';
import { OrderListStore, type ExplainedEntry } from './order-list.store.js';
import { OrderStore } from './order.store.js';
import type { OrderRow } from './order.row.js';
import { publicState } from './order.transitions.js';
import { orderView, reservationView } from './order.views.js';
import { VoucherOrders } from './voucher-orders.js';

const notFound = (): Refusal => refuse('NOT_FOUND', 'There is no such order.');
const badCursor = (): Refusal => refuse('INVALID_REQUEST', 'The cursor is not one of ours.', { errors: [{ path: '/query/cursor', message: 'unknown' }] });

/** Reads of reservations and orders. A buyer sees only their own; another's does not exist. */
@Controller()
export class OrderController {
  constructor(
    private readonly orders: OrderStore, private readonly lists: OrderListStore, private readonly sales: SaleStore, private readonly database: Database,
    private readonly vouchers: VoucherOrders,
  ) {}

  @Answers('get-reservation')
  async getReservation({ rid, accountId }: Ask<'get-reservation'>): Promise<Answer<'get-reservation'>> {
    const order = await this.orders.find(rid, accountId);
    return order ? accept(reservationView(order, await this.vouchers.itemsOf(order))) : notFound();
  }

  @Answers('list-reservations')
  async listReservations({ accountId, saleId, limit, cursor }: Ask<'list-reservations'>): Promise<Answer<'list-reservations'>> {
    const page = await this.lists.ofAccount(accountId, saleId, { limit, cursor });
    if (page === 'invalid-cursor') return badCursor();
    const views = await Promise.all(page.orders.map(async (order) => reservationView(order, await this.vouchers.itemsOf(order))));
    return accept({ items: views, nextCursor: page.nextCursor });
  }

  @Answers('get-order')
  async getOrder({ rid, accountId }: Ask<'get-order'>): Promise<Answer<'get-order'>> {
    const order = await this.orders.find(rid, accountId);
    if (!order) return notFound();
    const codes = await this.vouchers.codesOf(order);
    return accept({ ...(await this.views([order]))[0]!, ...(codes ? { codes } : {}) });
  }

  @Answers('list-orders')
  async listOrders({ accountId, limit, cursor }: Ask<'list-orders'>): Promise<Answer<'list-orders'>> {
    const page = await this.lists.ofAccount(accountId, null, { limit, cursor });
    if (page === 'invalid-cursor') return badCursor();
    return accept({ items: await this.views(page.orders), nextCursor: page.nextCursor });
  }

  @Answers('list-sale-orders')
  async listSaleOrders({ actor, saleId, limit, cursor }: Ask<'list-sale-orders'>): Promise<Answer<'list-sale-orders'>> {
    const sale = await this.sales.read(this.database, saleId);
    if (!sale || !maySeeSale(actor, sale)) return refuse('NOT_FOUND', 'There is no such sale.');
    const page = await this.lists.ofSale(saleId, { limit, cursor });
    if (page === 'invalid-cursor') return badCursor();
    return accept({ items: await this.views(page.orders), nextCursor: page.nextCursor });
  }

  @Answers('explain-reservation')
  async explain({ rid, accountId }: Ask<'explain-reservation'>): Promise<Answer<'explain-reservation'>> {
    const order = await this.orders.find(rid, accountId);
    if (!order) return notFound();
    const entries = (await this.lists.entriesOf(order)).map(explained);
    return accept({
      id: rid, state: publicState(order.state, order.payBy), reason: order.state === 'CLOSED' ? order.reason : null, number: order.number,
      entries: entries.length > 0 ? entries : await this.refused(order),
    });
  }

  private async views(orders: readonly OrderRow[]): Promise<OrderView[]> {
    const [facts, replacements] = await Promise.all([this.lists.itemFacts(orders), this.lists.replacements(orders)]);
    return orders.map((order) => orderView(order, facts, replacements.get(order.rid)));
  }

  /** A reservation that never held anything has no entries: what there was when it was judged explains it. */
  private async refused(order: OrderRow): Promise<ExplanationView['entries']> {
    const free = await this.lists.freeWhenJudged(order);
    return order.items.map(({ itemId, quantity }) => {
      const remaining = free.get(itemId) ?? 0;
      return { at: isoTime(order.createdAt.getTime()), itemId, entry: 'NOT_HELD', quantity, remainingBefore: remaining, remainingAfter: remaining };
    });
  }
}

/** What an entry takes from the free units: SELL and BURN only rename units that were not free. */
const takenBy: Record<string, 1 | 0 | -1> = { HOLD: 1, RELEASE: -1 };

function explained({ at, itemId, entry, quantity, freeAfter }: ExplainedEntry): ExplanationView['entries'][number] {
  return { at: isoTime(at.getTime()), itemId, entry, quantity, remainingBefore: freeAfter + quantity * (takenBy[entry] ?? 0), remainingAfter: freeAfter };
}
