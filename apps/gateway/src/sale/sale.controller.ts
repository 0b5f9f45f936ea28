import { createHash } from 'node:crypto';
import { Controller } from '@nestjs/common';
import { refuse, type Refusal, type SaleDocument } from '@floodgate/contracts';
import { isoTime } from '@floodgate/platform';
import { Audiences } from '../audience/audiences.js';
import { BoardKeeper } from '../board/board-keeper.js';
import type { LaneBoard } from '../board/lane-board.js';
import { Sales } from '../board/sales.js';
import { Operation, type Answer, type Call } from '../openapi/operation.decorator.js';
import { isRefusal } from '../problem/services.js';
import { summaryOf, viewOf } from './public-sale.js';
import { pageOf } from './sale-list.js';

/** `remaining` is never older than this. */
const remainingAgeMaxMs = 1_000;

/** What anybody may see: the clock, the sales, and what is left of them. */
@Controller()
export class SaleController {
  constructor(private readonly sales: Sales, private readonly keeper: BoardKeeper, private readonly audiences: Audiences) {}

  @Operation('getTime')
  getTime(): Answer {
    const nowMs = this.sales.clock.nowMs();
    return nowMs === null ? starting() : { ok: true, value: { now: isoTime(nowMs) } };
  }

  @Operation('listSales')
  listSales({ query, headers, actor }: Call): Answer {
    const nowMs = this.sales.clock.nowMs();
    if (nowMs === null || !this.sales.catalogue.isLoaded) return starting();
    const all = [...this.sales.catalogue.all()];
    const own = new Set(all.filter((document) => document.audience && actor.accountId !== '' && this.audiences.has(document, actor.accountId)));
    const page = pageOf(all.filter((document) => !document.audience || own.has(document)), nowMs, Number(query['limit'] ?? 20), (query['cursor'] as string | undefined) ?? null);
    if (!page) return refuse('INVALID_REQUEST', 'The request has 1 fault.', { errors: [{ path: '/query/cursor', message: 'is not a cursor of this list' }] });
    const value = { items: page.sales.map((document) => summaryOf(document, this.lanesOf(document), nowMs)), nextCursor: page.nextCursor };
    const etag = `W/"${createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 22)}"`;
    // Short, because a pause must be seen within a second. A list with sales that are not for everybody is its reader's alone.
    const cached = { etag, vary: 'Authorization', 'cache-control': own.size > 0 ? 'private, no-store' : 'public, max-age=1' };
    return matches(headers['if-none-match'], etag) ? { ok: true, value: undefined, status: 304, headers: cached } : { ok: true, value, headers: cached };
  }

  @Operation('getSale')
  async getSale({ path, query }: Call): Promise<Answer> {
    const document = await this.sales.catalogue.find(path['saleId'] ?? '');
    if (isRefusal(document)) return document;
    const lanes = await this.recentLanes(document);
    const nowMs = this.sales.clock.nowMs();
    if (!lanes || nowMs === null) return refuse('UNAVAILABLE', 'What is left of the sale is not known at the moment.');
    const itemIds = query['itemIds'] === undefined ? null : new Set(query['itemIds'] as string[]);
    return { ok: true, value: viewOf(document, lanes, nowMs, itemIds) };
  }

  private lanesOf(document: SaleDocument): LaneBoard[] {
    return [...this.sales.board.sale(document.saleId)?.lanes.values() ?? []];
  }

  /** The lanes as they were at most a second ago, asked of seckill if need be; none where Redis has none of the sale; null if nobody knows. */
  private async recentLanes(document: SaleDocument): Promise<LaneBoard[] | null> {
    const known = this.knownLanes(document);
    if (known) return known;
    await this.keeper.refreshSale(document.saleId);
    return this.knownLanes(document);
  }

  private knownLanes(document: SaleDocument): LaneBoard[] | null {
    const nowMs = this.sales.clock.nowMs();
    if (nowMs === null) return null;
    const lanes = this.lanesOf(document);
    if (lanes.length === 0) return document.state === 'APPROVED' || this.sales.board.isCurrent() ? this.lanesThatNeverWere(document) : null;
    const isRecent = lanes.every((lane) => nowMs - lane.atMs <= remainingAgeMaxMs && lane.items.size >= document.items.length);
    return isRecent && !this.sales.board.hasGap ? lanes : null;
  }

  /** Redis has nothing of the sale: not yet, or no more. A sale that is armed has to be there. */
  private lanesThatNeverWere({ state }: SaleDocument): LaneBoard[] | null {
    return state === 'ARMED' || state === 'PAUSED' ? null : [];
  }
}

const starting = (): Refusal => refuse('UNAVAILABLE', 'The platform is starting.');

/** Weak comparison of `If-None-Match` with one tag. */
const matches = (header: string | undefined, etag: string): boolean =>
  header !== undefined && header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag.slice(2));
