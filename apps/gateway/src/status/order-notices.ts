import { Injectable } from '@nestjs/common';
import type { MessageBody } from '@floodgate/contracts';

type Listener = (version: number) => void;

/** Hints that orders have changed, for those who watch one; and how far each sale's reservations have become orders. */
@Injectable()
export class OrderNotices {
  private readonly listeners = new Map<string, Set<Listener>>();
  private readonly highestNumbers = new Map<string, number>();

  /** Calls the listener with the version of each notice about this order. @returns ends it */
  watch(rid: string, listener: Listener): () => void {
    const watching = this.listeners.get(rid) ?? new Set();
    this.listeners.set(rid, watching.add(listener));
    return () => {
      watching.delete(listener);
      if (watching.size === 0 && this.listeners.get(rid) === watching) this.listeners.delete(rid);
    };
  }

  heard({ saleId, orders }: MessageBody<'order.created'>): void {
    let highest = this.highestNumbers.get(saleId) ?? 0;
    for (const order of orders) {
      if (order.number > highest) highest = order.number;
      for (const listener of this.listeners.get(order.rid) ?? []) listener(order.version);
    }
    this.highestNumbers.set(saleId, highest);
  }

  /** How many reservations are still to become orders before this one, or null where nothing was heard of the sale yet. */
  ahead(saleId: string, number: number): number | null {
    const highest = this.highestNumbers.get(saleId);
    return highest === undefined ? null : Math.max(0, number - highest - 1);
  }
}
