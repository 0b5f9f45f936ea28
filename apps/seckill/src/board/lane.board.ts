import type { BoardLane } from '@floodgate/contracts';
import type { Lane } from '../fence/lane.registry.js';
import type { LaneView } from '../stock/board.store.js';

// A gateway that lacks more than this asks for the whole: once, instead of all gateways being sent it.
const ADMITTED_MAX = 2_000;

/** What the gateways were last told of one lane, so that only what changed is told again. */
export class LaneBoard {
  private toldLoad = '';
  private toldAdmitted = 0;
  private toldItems = new Map<string, string>();

  /** The lane as it differs from what was told before; from now on this counts as told. Null: there is nothing to tell yet. */
  news(lane: Lane, nowMs: number): BoardLane | null {
    if (!lane.view) return unseen(lane, nowMs);
    const afresh = this.toldLoad !== lane.view.load;
    const items: BoardLane['items'] = [];
    for (const item of lane.view.items) {
      const row = `${item.available}|${item.unsettled}`;
      if (!afresh && this.toldItems.get(item.itemId) === row) continue;
      this.toldItems.set(item.itemId, row);
      items.push([item.itemId, Math.max(item.available, 0), item.unsettled]);
    }
    const total = lane.admittedHashes.length;
    let from = afresh ? 0 : this.toldAdmitted;
    if (from > total || total - from > ADMITTED_MAX) from = total;
    this.toldLoad = lane.view.load;
    this.toldAdmitted = total;
    return { ...common(lane, lane.view, nowMs), whole: afresh, items, admittedFrom: from, admitted: lane.admittedHashes.slice(from) };
  }
}

/** The lane whole, with every admission known. Null: there is nothing to tell yet. */
export function wholeLane(lane: Lane, nowMs: number): BoardLane | null {
  if (!lane.view) return unseen(lane, nowMs);
  const items = lane.view.items.map((item): BoardLane['items'][number] => [item.itemId, Math.max(item.available, 0), item.unsettled]);
  return { ...common(lane, lane.view, nowMs), whole: true, items, admittedFrom: 0, admitted: lane.admittedHashes };
}

/** A lane that Redis lost before this process ever saw it is told as not selling; one that was never loaded is nobody's business yet. */
function unseen(lane: Lane, nowMs: number): BoardLane | null {
  if (!lane.ordered || lane.loadedEpoch === 0) return null;
  const { version, state } = lane.ordered;
  return {
    saleId: lane.saleId, lane: lane.lane, epoch: lane.orderedEpoch, version, state, selling: false, atMs: nowMs,
    whole: false, items: [], admittedFrom: 0, admitted: [],
  };
}

/** Several processes tell of the same lane, so what was read carries the time of its reading. */
function common(lane: Lane, view: LaneView, nowMs: number) {
  const atMs = lane.present ? view.nowMs : nowMs;
  return { saleId: lane.saleId, lane: lane.lane, epoch: lane.epoch, version: view.version, state: view.state, selling: lane.open, atMs };
}
