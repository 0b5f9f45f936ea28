import { accept, refuse, saleStateAt, type Ask, type AttemptResult, type Outcome, type Refusal, type StockChangeView } from '@floodgate/contracts';
import { Database, RequestClient, RequestError } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { unitsMax } from '../inventory/inventory.store.js';
import { SaleStore, type SaleCopy } from '../sale/sale.store.js';
import { changeId, StockChangeStore, type StockChange } from './stock-change.store.js';
import { StockBooking } from './stock.booking.js';

export type StockChanged = { replayed: boolean; change: StockChangeView };
type Wanted = Omit<StockChange, 'state' | 'answer'>;

/** How long Redis may take, by its own clock and by ours: what comes later is not carried out. */
const holdTimeoutMs = 3_000;

/**
 * An operator changes the units of an item while it sells. What is added is booked first and reaches Redis by version; what is taken back
 * is taken in Redis first, by the door that buyers use, and booked then. Every stage goes by one id that follows from the key.
 */
@Injectable()
export class ChangeStock {
  constructor(
    private readonly database: Database, private readonly sales: SaleStore, private readonly changes: StockChangeStore,
    private readonly booking: StockBooking, private readonly client: RequestClient,
  ) {}

  /**
   * Refusals: NOT_FOUND (also for a sale that was never approved), INVALID_TRANSITION with `state`, INSUFFICIENT_STOCK with `available`,
   * IDEMPOTENCY_KEY_REUSED, INVALID_REQUEST, UNAVAILABLE (with `outcome` `unknown` it may have been done: the same key again tells).
   */
  async change(ask: Ask<'change-stock'>): Promise<Outcome<StockChanged>> {
    const { saleId, itemId, delta, reason, nowMs } = ask;
    const accountId = ask.actor.accountId;
    const [sale, item] = await Promise.all([this.sales.read(this.database, saleId), this.changes.item(saleId, itemId)]);
    if (!sale || !item) return refuse('NOT_FOUND', sale ? 'The sale has no such item.' : 'There is no such sale, or it was never approved.');
    const rid = changeId(saleId, itemId, item.ridSecret, accountId, ask.key);
    const known = await this.changes.find(this.database, saleId, rid);
    const bound = known && known.state !== 'REFUSED' ? boundAnswer(known, ask) : null;
    if (bound) return bound;
    const wanted: Wanted = { saleId, rid, lane: known?.lane ?? item.fullestLane, itemId, delta, accountId, reason };
    // An act that Redis may have carried out is finished whatever the sale's state is now.
    if (known?.state === 'ASKED') return this.takeBack(wanted, nowMs, true);
    const state = stateOf(sale, nowMs);
    if (state !== 'ARMED' && state !== 'OPEN' && state !== 'PAUSED') return refuse('INVALID_TRANSITION', 'Stock is changed from the arming to the end of a sale.', { state });
    return delta > 0 ? this.add(wanted, item.lanes) : this.takeBack(wanted, nowMs, false);
  }

  private async add(wanted: Wanted, lanes: number): Promise<Outcome<StockChanged>> {
    const [item] = await this.database.query<{ quota: number }>('SELECT quota FROM sale_item WHERE sale_id = $1 AND item_id = $2', [wanted.saleId, wanted.itemId]);
    if (item!.quota + wanted.delta > unitsMax) return tooMany();
    const booked = await this.database.transaction((tx) => this.booking.add(tx, wanted, lanes));
    return boundAnswer(booked, wanted, false) ?? unknown();
  }

  private async takeBack(wanted: Wanted, nowMs: number, wasAsked: boolean): Promise<Outcome<StockChanged>> {
    const { saleId, rid, lane, itemId } = wanted;
    const asked = await this.changes.ask(wanted);
    // Another request with this key was quicker, with another body or up to the end.
    if (asked.delta !== wanted.delta || asked.state !== 'ASKED') return boundAnswer(asked, wanted) ?? unknown();
    const result = await this.hold(wanted, nowMs);
    if (result.word === 'reserved' || result.word === 'replayed') {
      const takeBack = { rid, itemId, quantity: -wanted.delta, number: result.number ?? 1, reservedAtMs: result.reservedAtMs ?? nowMs };
      const booked = await this.database.transaction((tx) => this.booking.takeBack(tx, saleId, lane, takeBack));
      return boundAnswer(booked, wanted, false) ?? unknown();
    }
    if (result.word === 'key-reused') return reused();
    // Redis is away or was slow: an earlier request may have got through.
    if (result.word === 'outcome-unknown' || (result.word === 'unavailable' && wasAsked)) return unknown();
    await this.changes.refuse(saleId, rid);
    return refusalOf(result);
  }

  private async hold({ saleId, lane, rid, itemId, delta }: Wanted, nowMs: number): Promise<AttemptResult> {
    try {
      const ask = { saleId, lane, rid, itemId, quantity: -delta, deadlineAtMs: nowMs + holdTimeoutMs };
      return (await this.client.ask('hold-take-back', ask, { timeoutMs: holdTimeoutMs })).result;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      return { word: error.outcome === 'unknown' ? 'outcome-unknown' : 'unavailable' };
    }
  }
}

/** What the key is bound to, or null while that is not known. */
function boundAnswer(row: StockChange, wanted: { delta: number; reason: string }, replayed = true): Outcome<StockChanged> | null {
  if (row.delta !== wanted.delta || row.reason !== wanted.reason) return reused();
  if (row.answer) return accept({ replayed, change: row.answer });
  return row.state === 'REJECTED' ? refuse('INSUFFICIENT_STOCK', 'Not so many units were free.') : null;
}

function refusalOf(result: AttemptResult): Refusal {
  switch (result.word) {
    case 'sold-out': return refuse('INSUFFICIENT_STOCK', 'Not so many units are free.', { available: result.remaining ?? 0 });
    case 'ended': return refuse('INVALID_TRANSITION', 'The sale is over.', { state: 'ENDED' });
    case 'item-not-found': return refuse('NOT_FOUND', 'The sale has no such item.');
    default: return refuse('UNAVAILABLE', 'The units cannot be taken out of sale now.', { outcome: 'not-done' });
  }
}

/** As people see it. A lane that is loaded sells, whether or not promotion has heard of it yet. */
function stateOf(sale: SaleCopy, nowMs: number): string {
  return saleStateAt({ ...sale, state: sale.state === 'APPROVED' && sale.armed ? 'ARMED' : sale.state }, nowMs);
}

const reused = (): Refusal => refuse('IDEMPOTENCY_KEY_REUSED', 'This key stands for another change.');
const unknown = (): Refusal => refuse('UNAVAILABLE', 'It may have been done. The same key sent again tells.', { outcome: 'unknown' });
const tooMany = (): Refusal => refuse('INVALID_REQUEST', 'more units than can be counted', { errors: [{ path: '/delta', message: `may bring the quota to ${unitsMax} at most` }] });
