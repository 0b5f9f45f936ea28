import type { SaleDocument } from '@floodgate/contracts';
import { isoTime } from '@floodgate/platform';
import type { LaneBoard } from '../board/lane-board.js';
import { publicState } from '../board/sale-window.js';

/** A sale as buyers see it in a list. */
export function summaryOf(document: SaleDocument, lanes: readonly LaneBoard[], nowMs: number) {
  return {
    id: document.saleId,
    title: document.title,
    state: publicState(document, lanes, nowMs),
    mode: document.mode,
    opensAt: isoTime(document.opensAtMs),
    closesAt: isoTime(document.closesAtMs),
    paymentWindowSeconds: document.paymentWindowMs / 1_000,
    limits: document.limits,
    challenge: document.challenge,
  };
}

/**
 * A sale with what is left of each item. A sale that Redis does not have yet has its whole quota left, one that it has no more has nothing.
 * @param itemIds only these items, or null for all
 */
export function viewOf(document: SaleDocument, lanes: readonly LaneBoard[], nowMs: number, itemIds: ReadonlySet<string> | null) {
  const summary = summaryOf(document, lanes, nowMs);
  const asOfMs = lanes.length === 0 ? nowMs : Math.min(...lanes.map((lane) => lane.atMs));
  const items = itemIds ? document.items.filter((item) => itemIds.has(item.itemId)) : document.items;
  const isOver = summary.state === 'ENDED' || summary.state === 'WITHDRAWN';
  return {
    ...summary,
    items: items.map((item) => itemOf(item, document.currency, remainingOf(item, lanes, isOver))),
    asOf: isoTime(asOfMs),
  };
}

type Item = SaleDocument['items'][number];

function remainingOf(item: Item, lanes: readonly LaneBoard[], isOver: boolean): number {
  if (lanes.length === 0) return isOver ? 0 : item.quota;
  return Math.max(0, lanes.reduce((sum, lane) => sum + (lane.items.get(item.itemId)?.available ?? 0), 0));
}

function itemOf(item: Item, currency: string, remaining: number) {
  const { itemId, skuId, title, imageUrl, kind, price, listPrice, quota, perAccount } = item;
  return {
    id: itemId,
    skuId,
    title,
    imageUrl,
    kind,
    price: { amount: price, currency },
    listPrice: listPrice === null ? null : { amount: listPrice, currency },
    quota,
    perAccount,
    remaining,
    soldOut: remaining === 0,
  };
}
