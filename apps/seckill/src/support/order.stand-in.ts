import type { Answer, LaneLoad, MessageBody, SyncRow } from '@floodgate/contracts';
import { Answers, Consume, Publisher, type DeliveryOf } from '@floodgate/platform';
import { Controller, Inject, type Type } from '@nestjs/common';

/** What the order service would know, for tests of seckill alone: lanes and their epochs, rows, and what it was told. */
export class OrderBook {
  lanes: Answer<'list-lanes'>['lanes'] = [];
  rows: SyncRow[] = [];
  unjudged = 0;
  readonly placed: MessageBody<'place-order'>[] = [];
  readonly takenBack: MessageBody<'book-take-back'>[] = [];
  readonly loaded: MessageBody<'lane.loaded'>[] = [];
  readonly rebuilds: MessageBody<'rebuild-lanes'>[] = [];
  readonly failures: MessageBody<'sale.arm-failed'>[] = [];

  /** rids, each as often as it was published */
  get placedRids(): string[] {
    return this.placed.flatMap(({ reservations }) => reservations.map(({ rid }) => rid));
  }
}

/** The order service's side of the protocol, on a real broker. */
export function orderStandIn(book: OrderBook): Type {
  @Controller()
  class OrderStandIn {
    constructor(@Inject(Publisher) private readonly publisher: Publisher) {}

    @Answers('list-lanes')
    listLanes(): Answer<'list-lanes'> {
      return { lanes: book.lanes };
    }

    @Answers('read-rows')
    readRows({ saleId, after, limit }: { saleId: string; lane: number; after: string | null; limit: number }): Answer<'read-rows'> {
      const all = book.rows.filter(({ rid }) => rid.startsWith(`${saleId}.`) && (after === null || rid > after)).sort((a, b) => (a.rid < b.rid ? -1 : 1));
      // Two at a time, so that there is more than one page.
      const rows = all.slice(0, Math.min(limit, 2));
      return { rows, next: all.length > rows.length ? rows.at(-1)!.rid : null };
    }

    @Answers('count-unjudged')
    countUnjudged(): Answer<'count-unjudged'> {
      return { placeOrderMessages: book.unjudged };
    }

    @Consume('order.place-order')
    async place(deliveries: DeliveryOf<'order.place-order'>[]): Promise<void> {
      for (const { body } of deliveries) book.placed.push(body);
    }

    @Consume('order.book-take-back')
    async book(deliveries: DeliveryOf<'order.book-take-back'>[]): Promise<void> {
      for (const { body } of deliveries) book.takenBack.push(body);
    }

    @Consume('order.note-loaded')
    async note(deliveries: DeliveryOf<'order.note-loaded'>[]): Promise<void> {
      for (const { body } of deliveries) {
        book.loaded.push(body);
        for (const lane of book.lanes) if (lane.saleId === body.saleId && lane.lane === body.lane) lane.loadedEpoch = body.epoch;
      }
    }

    @Consume('promotion.note-armed')
    async noteFailure(deliveries: DeliveryOf<'promotion.note-armed'>[]): Promise<void> {
      for (const delivery of deliveries) if (delivery.name === 'sale.arm-failed') book.failures.push(delivery.body);
    }

    @Consume('order.rebuild-lanes')
    async rebuild(deliveries: DeliveryOf<'order.rebuild-lanes'>[]): Promise<void> {
      for (const { body } of deliveries) {
        book.rebuilds.push(body);
        const raised: LaneLoad[] = [];
        for (const lane of book.lanes) {
          if (!body.seen.some((seen) => seen.saleId === lane.saleId && seen.lane === lane.lane && seen.epoch === lane.epoch)) continue;
          lane.epoch++;
          const { loadedEpoch: _loadedEpoch, ...load } = lane;
          raised.push(load);
        }
        if (raised.length > 0) await this.publisher.publish('load-lanes', { reason: 'rebuild', lanes: raised });
      }
    }
  }
  return OrderStandIn;
}
