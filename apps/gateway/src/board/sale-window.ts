import { refuse, saleStateAt, type Refusal, type SaleDocument, type SaleState, type StoredSaleState } from '@floodgate/contracts';
import { isoTime } from '@floodgate/platform';
import type { LaneBoard } from './lane-board.js';

/** Redis and promotion both tell a sale's state, each with the version it stands for: the newer one counts. */
export function newestState(document: SaleDocument, lanes: readonly LaneBoard[]): StoredSaleState {
  let { version, state }: { version: number; state: StoredSaleState } = document;
  for (const lane of lanes) {
    if (lane.version > version) ({ version, state } = lane);
  }
  return state;
}

/** The state that people see at this time. */
export const publicState = (document: SaleDocument, lanes: readonly LaneBoard[], nowMs: number): SaleState =>
  saleStateAt({ ...document, state: newestState(document, lanes) }, nowMs);

/**
 * Why nobody may enter the sale at this time, or null if it is open. A sale that should be open but is not armed, or whose lanes do not sell,
 * is unavailable, not closed.
 */
export function closedBecause(document: SaleDocument, lanes: readonly LaneBoard[], nowMs: number): Refusal | null {
  const state = newestState(document, lanes);
  if (state === 'WITHDRAWN' || state === 'ENDED' || nowMs >= document.closesAtMs) return refuse('SALE_ENDED', 'The sale has ended.');
  if (state === 'PAUSED') return refuse('SALE_PAUSED', 'The sale is paused.');
  if (nowMs < document.opensAtMs) return refuse('SALE_NOT_OPEN', 'The sale opens later.', { opensAt: isoTime(document.opensAtMs) });
  if (lanes.length === 0 || lanes.some((lane) => !lane.selling)) return refuse('UNAVAILABLE', 'The sale cannot sell at the moment.');
  return null;
}
