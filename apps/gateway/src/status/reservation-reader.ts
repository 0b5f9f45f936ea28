import { Injectable } from '@nestjs/common';
import { refuse, saleOfReservation, type Answer, type Outcome, type Reservation, type ReservationView, type SaleDocument } from '@floodgate/contracts';
import { isoTime } from '@floodgate/platform';
import { SaleCatalogue } from '../board/sale-catalogue.js';
import { Services, isRefusal } from '../problem/services.js';
import { OrderNotices } from './order-notices.js';

/** While the order is being made there is nothing to see sooner. */
const queuedPollAfterMs = 500;

/** What seckill knows of a reservation that Postgres may not have yet. */
export type Held = NonNullable<Answer<'find-reservation'> extends { found: infer F } ? F : never>;

/** Reads where a reservation stands: Postgres first, and Redis for those whose order is not made yet. */
@Injectable()
export class ReservationReader {
  constructor(private readonly services: Services, private readonly catalogue: SaleCatalogue, private readonly notices: OrderNotices) {}

  /** The owner's view; anybody else gets NOT_FOUND. UNAVAILABLE while nobody can know, as during a rebuild. */
  async read(rid: string, accountId: string): Promise<Outcome<ReservationView>> {
    if (saleOfReservation(rid) === null) return notFound();
    const order = await this.readOrder(rid, accountId);
    if (order.ok || order.code !== 'NOT_FOUND') return order;
    const held = await this.findHeld(rid, accountId);
    if (held.ok) return this.queuedView(held.value);
    if (held.code !== 'NOT_FOUND') return held;
    // It may have become an order between the two questions.
    return this.readOrder(rid, accountId);
  }

  /** What Redis holds under this id for this account; NOT_FOUND only where seckill is sure. */
  async findHeld(rid: string, accountId: string): Promise<Outcome<Held>> {
    const answer = await this.services.ask('find-reservation', { rid });
    if (isRefusal(answer)) return answer;
    if (answer.found) return answer.found.accountId === accountId ? { ok: true, value: answer.found } : notFound();
    return answer.sure ? notFound() : refuse('UNAVAILABLE', 'It cannot be known at the moment.');
  }

  private readOrder(rid: string, accountId: string): Promise<Outcome<ReservationView>> {
    return this.services.ask('get-reservation', { rid, accountId });
  }

  private async queuedView(held: Reservation): Promise<Outcome<ReservationView>> {
    const saleId = saleOfReservation(held.rid) ?? '';
    const document = await this.catalogue.find(saleId);
    return {
      ok: true,
      value: {
        id: held.rid,
        saleId,
        items: held.items,
        state: 'QUEUED',
        terminal: false,
        reason: null,
        orderId: null,
        amount: isRefusal(document) ? null : amountOf(document, held),
        payBy: null,
        number: held.number,
        ahead: this.notices.ahead(saleId, held.number),
        version: 0,
        updatedAt: isoTime(held.reservedAtMs),
        pollAfterMs: queuedPollAfterMs,
      },
    };
  }
}

/** The price is the sale's, never the client's. */
function amountOf(document: SaleDocument, { items }: Reservation): { amount: number; currency: string } {
  const prices = new Map(document.items.map(({ itemId, price }) => [itemId, price]));
  return { amount: items.reduce((sum, { itemId, quantity }) => sum + (prices.get(itemId) ?? 0) * quantity, 0), currency: document.currency };
}

const notFound = () => refuse('NOT_FOUND', 'There is no such reservation.');
