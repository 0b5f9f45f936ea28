import { Injectable } from '@nestjs/common';
import { hash32, laneOf, refuse, type ItemQuantity, type Refusal, type SaleDocument } from '@floodgate/contracts';
import { Board } from './board.js';
import type { LaneBoard } from './lane-board.js';
import { PlatformClock } from './platform-clock.js';
import { SaleCatalogue } from './sale-catalogue.js';
import { closedBecause } from './sale-window.js';

/** This gateway's clock is an estimate: so close to a boundary of the window only Redis knows on which side a request is. */
const boundaryMs = 50;

/** What a gateway can say of a sale by itself: documents, board and clock together. Where it is not sure it says nothing. */
@Injectable()
export class Sales {
  constructor(readonly catalogue: SaleCatalogue, readonly board: Board, readonly clock: PlatformClock) {}

  /** The refusal that anybody would get now, for accounts that were never admitted in the sale; null where seckill has to be asked. */
  refusalForAll(saleId: string): Refusal | null {
    const document = this.catalogue.get(saleId);
    const nowMs = this.clock.nowMs();
    if (!document || nowMs === null || isNearBoundary(document, nowMs)) return null;
    const lanes = this.sellingLanes(document);
    if (!lanes) return null;
    const closed = closedBecause(document, lanes, nowMs);
    if (!closed) return soldOut(document, lanes);
    return lanes.every((lane) => knowsAllAdmitted(document, lane, closed)) ? closed : null;
  }

  /** The refusal of an item that has run out, under the same conditions as {@link refusalForAll}. */
  refusalForItems(document: SaleDocument, accountId: string, items: readonly ItemQuantity[]): Refusal | null {
    const nowMs = this.clock.nowMs();
    const lanes = this.sellingLanes(document);
    if (nowMs === null || !lanes || isNearBoundary(document, nowMs) || closedBecause(document, lanes, nowMs)) return null;
    const stock = this.board.sale(document.saleId)?.lanes.get(laneOf(accountId, document.lanes))?.items;
    const empty = items.find(({ itemId }) => (stock?.get(itemId)?.available ?? 1) <= 0);
    if (!empty || this.board.isAdmitted(document.saleId, hash32(accountId))) return null;
    return refuse('SOLD_OUT', 'Nothing of this item is left.', { itemId: empty.itemId, remaining: 0, mayReturn: (stock?.get(empty.itemId)?.unsettled ?? 0) > 0 });
  }

  /**
   * Why seckill cannot be asked about this sale: Redis has no lane of it, for sure. Null where it has one, or may have one:
   * whether an attempt is a replay is only known there.
   */
  refusalWithoutLanes(document: SaleDocument): Refusal | null {
    const nowMs = this.clock.nowMs();
    if (nowMs === null) return refuse('UNAVAILABLE', 'The platform is starting.');
    if (this.board.sale(document.saleId)) return null;
    return document.state === 'APPROVED' || this.board.isCurrent() ? closedBecause(document, [], nowMs) : null;
  }

  /** Whether the sale sells now, for sure: what stands against an attempt then is no different in seckill's eyes. */
  sellsForSure(document: SaleDocument): boolean {
    const nowMs = this.clock.nowMs();
    const lanes = this.sellingLanes(document);
    return nowMs !== null && lanes !== null && !isNearBoundary(document, nowMs) && closedBecause(document, lanes, nowMs) === null;
  }

  private sellingLanes(document: SaleDocument): LaneBoard[] | null {
    const lanes = this.board.trustedLanes(document);
    return lanes?.every((lane) => lane.selling) ? lanes : null;
  }
}

const isNearBoundary = ({ opensAtMs, closesAtMs }: SaleDocument, nowMs: number): boolean =>
  Math.abs(nowMs - opensAtMs) <= boundaryMs || Math.abs(nowMs - closesAtMs) <= boundaryMs;

/**
 * Whether this reading was made after the sale closed: whoever was admitted before is in it. An earlier one could cut a winner, who never got
 * the answer, off from the replay.
 */
function knowsAllAdmitted(document: SaleDocument, lane: LaneBoard, { code }: Refusal): boolean {
  if (code === 'SALE_NOT_OPEN') return true;
  if (code === 'SALE_PAUSED') return lane.state === 'PAUSED';
  return lane.state === 'ENDED' || lane.state === 'WITHDRAWN' || lane.atMs >= document.closesAtMs;
}

/** Nothing of any item is left. Which item was asked for stands in a body nobody has read; the first one stands for all. */
function soldOut(document: SaleDocument, lanes: readonly LaneBoard[]): Refusal | null {
  const itemId = document.items[0]?.itemId;
  const isEmpty = lanes.every((lane) => lane.itemsLeft === 0 && lane.items.size >= document.items.length);
  if (!isEmpty || itemId === undefined) return null;
  return refuse('SOLD_OUT', 'Nothing is left.', { itemId, remaining: 0, mayReturn: lanes.some((lane) => lane.unsettledUnits > 0) });
}
