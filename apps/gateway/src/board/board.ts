import { Injectable } from '@nestjs/common';
import type { Board as BoardMessage, BoardLane, SaleDocument } from '@floodgate/contracts';
import { boardCurrent } from '../metrics.js';
import { LaneBoard } from './lane-board.js';
import { PlatformClock } from './platform-clock.js';

/** A sale that seckill has not told of for this long is in Redis no more. */
const rememberedMs = 3_600_000;
/** What is older than this may be wrong; everything goes to seckill then. */
export const boardTrustedMs = 3_000;

export interface SaleBoard {
  lanes: Map<number, LaneBoard>;
  /** `hash32` of every account ever admitted in the sale. */
  admitted: Set<number>;
}

/**
 * What gateways know about every sale in Redis, from seckill's broadcast. It only ever refuses or shows; whatever it does not know for sure
 * is asked of seckill.
 */
@Injectable()
export class Board {
  private readonly sales = new Map<string, SaleBoard>();
  private readonly lastSeq = new Map<string, number>();
  /** Gaps seen so far; the start is one. */
  private gaps = 1;
  private gapsClosed = 0;
  private newestMs = 0;

  constructor(private readonly clock: PlatformClock) {
    boardCurrent.read = () => [[{}, Number(this.isCurrent())]];
  }

  /** Takes in one broadcast. @returns false if messages were missed: the whole board must be asked for */
  apply(message: BoardMessage): boolean {
    this.clock.see(message.atMs);
    this.newestMs = Math.max(this.newestMs, message.atMs);
    const last = this.lastSeq.get(message.source);
    let complete = message.seq === (last ?? NaN) + 1 || message.lanes.every((lane) => lane.whole);
    // Only one or a few instances broadcast; those of processes long gone must not pile up.
    if (last === undefined && this.lastSeq.size >= 64) this.lastSeq.clear();
    this.lastSeq.set(message.source, message.seq);
    for (const lane of message.lanes) complete = this.applyLane(lane) && complete;
    if (!complete) this.gaps++;
    return !this.hasGap;
  }

  /** Takes in an answer with whole lanes. @param closes the `gapCount` of before the question, where it was for every lane there is */
  applyWhole(answer: { atMs: number; lanes: BoardLane[] }, closes: number | null): void {
    this.clock.see(answer.atMs);
    for (const lane of answer.lanes) this.applyLane(lane);
    if (closes === null) return;
    this.newestMs = Math.max(this.newestMs, answer.atMs);
    this.gapsClosed = Math.max(this.gapsClosed, closes);
  }

  /** Something was missed that only a whole answer can bring. */
  get hasGap(): boolean {
    return this.gapsClosed < this.gaps;
  }

  get gapCount(): number {
    return this.gaps;
  }

  sale(saleId: string): SaleBoard | undefined {
    return this.sales.get(saleId);
  }

  /** Whether the board as a whole can be believed: nothing missed, and not older than 3 s. */
  isCurrent(): boolean {
    return !this.hasGap && this.isFresh(this.newestMs);
  }

  /** Every lane of the sale, if all of them are known and younger than 3 s, else null. */
  trustedLanes(document: SaleDocument): LaneBoard[] | null {
    if (this.hasGap) return null;
    const known = this.sales.get(document.saleId)?.lanes;
    if (!known || known.size < document.lanes) return null;
    const lanes = [...known.values()];
    return lanes.every((lane) => this.isFresh(lane.atMs)) ? lanes : null;
  }

  /** Whether this account may hold something in the sale: it must reach the replay then. */
  isAdmitted(saleId: string, accountHash: number): boolean {
    return this.sales.get(saleId)?.admitted.has(accountHash) ?? false;
  }

  /** Drops what seckill no longer tells of; a sale of a million buyers is megabytes. */
  forgetSilent(): void {
    for (const [saleId, { lanes }] of this.sales) {
      if ([...lanes.values()].every((lane) => lane.atMs < this.newestMs - rememberedMs)) this.sales.delete(saleId);
    }
  }

  private isFresh(atMs: number): boolean {
    const nowMs = this.clock.nowMs();
    return nowMs !== null && nowMs - atMs < boardTrustedMs;
  }

  private applyLane(message: BoardLane): boolean {
    const sale = this.sales.get(message.saleId) ?? { lanes: new Map<number, LaneBoard>(), admitted: new Set<number>() };
    this.sales.set(message.saleId, sale);
    const lane = sale.lanes.get(message.lane) ?? new LaneBoard();
    sale.lanes.set(message.lane, lane);
    return lane.apply(message, sale.admitted);
  }
}
