import { hash32, type LaneLoad } from '@floodgate/contracts';
import { Injectable } from '@nestjs/common';
import { lanesClosed } from '../metrics.js';
import type { LaneView } from '../stock/board.store.js';
import { keysOf, type LaneKeys } from '../stock/lane.keys.js';

/** Longer than a load takes, draining included; then its message must have become a dead letter. */
const loadWaitMs = 30_000;
/** So many times the wait is doubled at most. */
const doublingsMax = 3;

/** What this process knows of one lane. */
export class Lane {
  readonly keys: LaneKeys;
  /** The epoch of the last look at Redis, 0 before the first. */
  epoch = 0;
  /** Whether this process sells from it. Only the fence opens a lane, and only after it has looked. */
  open = false;
  /** Whether nothing was wrong with it at the last look. */
  sound = false;
  /** An epoch that is not to be trusted again, whatever Redis says. */
  distrustedEpoch = 0;
  /** Postgres's epoch of the lane, and the epoch that was last loaded, as heard from the order service. */
  orderedEpoch = 0;
  loadedEpoch = 0;
  /** Since when a load of `orderedEpoch` has been waited for; monotonic milliseconds. */
  waitingSinceMs: number | null = null;
  /** How many epochs have passed since it was last open without their load having come. */
  loadsInVain = 0;
  /** As the order service describes it. */
  ordered: Pick<LaneLoad, 'version' | 'state' | 'closesAtMs'> | null = null;
  /** The last time Redis had it; stays when Redis has lost it. */
  view: LaneView | null = null;
  /** Whether Redis had it at the last look. */
  present = false;
  /** Hashes of the accounts admitted under `admittedLoad`, in Redis's order; may lag behind Redis. */
  admittedLoad = '';
  admittedHashes: number[] = [];
  /** What the relay last found unconfirmed, and since when the oldest of it waits; monotonic milliseconds. */
  relay: { length: number; oldestAtMs: number | null } = { length: 0, oldestAtMs: null };
  /** When the oldest reservation was made of which Postgres had not spoken at the last sweep; Redis's clock. */
  unspokenSinceMs: number | null = null;

  constructor(readonly saleId: string, readonly lane: number) {
    this.keys = keysOf(saleId, lane);
  }

  get name(): string {
    return `${this.saleId}:${this.lane}`;
  }

  /** Takes over what was read, and the admissions in it that are new. */
  see(view: LaneView): void {
    this.view = view;
    this.present = true;
    this.epoch = view.epoch;
    if (view.selling) this.loadedEpoch = Math.max(this.loadedEpoch, view.epoch);
    if (view.load !== this.admittedLoad) {
      if (view.admittedFrom !== 0) return; // read for an earlier load; the next look starts afresh
      this.admittedLoad = view.load;
      this.admittedHashes = [];
    }
    // Two looks may overlap: what the other one brought already is skipped.
    const known = this.admittedHashes.length - view.admittedFrom;
    if (known < 0) return;
    for (const account of view.accounts.slice(known)) this.admittedHashes.push(hash32(account));
  }

  /** Redis does not have it: it was never loaded, or is lost. */
  miss(): void {
    this.present = false;
    this.sound = false;
  }

  heard(ordered: Pick<LaneLoad, 'epoch' | 'version' | 'state' | 'closesAtMs'> & { loadedEpoch: number }): void {
    this.ordered = ordered;
    if (ordered.epoch !== this.orderedEpoch) {
      if (this.waitingSinceMs !== null) this.loadsInVain++;
      this.waitingSinceMs = null;
    }
    this.orderedEpoch = Math.max(this.orderedEpoch, ordered.epoch);
    this.loadedEpoch = Math.max(this.loadedEpoch, ordered.loadedEpoch);
    if (this.epoch < this.orderedEpoch) this.open = false;
  }

  /**
   * Whether the load of `orderedEpoch` must be given up for lost; the wait begins with the first question, and ends when the lane is {@link served}.
   * Longer after each that was: on a machine where a load takes longer than this, another epoch every time would supersede each load before it is done.
   * @param nowMs monotonic
   */
  hasWaitedTooLong(nowMs: number): boolean {
    if (this.orderedEpoch === 0) return false;
    this.waitingSinceMs ??= nowMs;
    return nowMs - this.waitingSinceMs > loadWaitMs * 2 ** Math.min(this.loadsInVain, doublingsMax);
  }

  /** It is open: nothing is waited for. */
  served(): void {
    this.waitingSinceMs = null;
    this.loadsInVain = 0;
  }
}

/** Every lane this process has heard of. */
@Injectable()
export class LaneRegistry {
  private readonly lanes = new Map<string, Lane>();

  constructor() {
    lanesClosed.read = () => [[{}, this.all().filter((lane) => !lane.open).length]];
  }

  get(saleId: string, lane: number): Lane | undefined {
    return this.lanes.get(`${saleId}:${lane}`);
  }

  obtain(saleId: string, lane: number): Lane {
    const name = `${saleId}:${lane}`;
    let found = this.lanes.get(name);
    if (!found) this.lanes.set(name, found = new Lane(saleId, lane));
    return found;
  }

  remove(lane: Lane): void {
    this.lanes.delete(lane.name);
  }

  all(): Lane[] {
    return [...this.lanes.values()];
  }

  ofSale(saleId: string): Lane[] {
    return this.all().filter((lane) => lane.saleId === saleId);
  }
}
