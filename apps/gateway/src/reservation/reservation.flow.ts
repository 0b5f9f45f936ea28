import { Injectable } from '@nestjs/common';
import { hash32, laneOf, packItems, refuse, reservationId, type BuyerAttempt, type ItemQuantity, type Refusal, type SaleDocument } from '@floodgate/contracts';
import { currentSpan, isoTime } from '@floodgate/platform';
import { ClientAddresses } from '../admission/client-address.js';
import { Gates, type GateVerdict } from '../admission/gates.js';
import { Recent } from '../admission/recent.js';
import { Sales } from '../board/sales.js';
import type { Answer, Call } from '../openapi/operation.decorator.js';
import { isRefusal } from '../problem/services.js';
import { Receipts } from './receipts.js';
import { SeckillClient, type Judged } from './seckill.client.js';

export interface ReservationRequest {
  entryToken: string;
  items: ItemQuantity[];
}

/** Polling sooner cannot show more: the order is usually made within this. One figure, so that a replay is answered word for word. */
const pollAfterMs = 500;
/** More than one gateway admits within the second that the board may take. */
const heldHereMax = 20_000;

/** A checked attempt's way to Redis and back. What comes before (token, role, form of the request) is done by then. */
@Injectable()
export class ReservationFlow {
  /** Accounts that this gateway saw admitted: a retry may be faster than the board, which tells of them within a second. */
  private readonly heldHere = new Recent<true>(heldHereMax);

  constructor(
    private readonly sales: Sales,
    private readonly seckill: SeckillClient,
    private readonly gates: Gates,
    private readonly addresses: ClientAddresses,
    private readonly receipts: Receipts,
  ) {}

  async reserve(call: Call<ReservationRequest>): Promise<Answer> {
    const saleId = call.path['saleId'] ?? '';
    const document = this.sales.catalogue.get(saleId) ?? await this.sales.catalogue.find(saleId);
    if (isRefusal(document)) return document;
    const notReady = this.gates.ready(document, call.actor.accountId);
    // Only the few sales that are not for everybody ever wait here.
    const refusal = (notReady instanceof Promise ? await notReady : notReady) ?? this.sales.refusalWithoutLanes(document) ?? this.sales.refusalForItems(document, call.actor.accountId, call.body.items);
    if (refusal) return refusal;
    const { actor: { accountId }, body: { entryToken }, request: { limited } } = call;
    const verdict = this.gates.judge(document, { accountId, entryToken, limited });
    const turnedAway = this.refusalHere(document, call, verdict);
    if (turnedAway) {
      this.gates.refused(document, accountId, verdict.gate);
      return turnedAway;
    }
    const attempt = this.attemptOf(document, call, verdict);
    currentSpan()?.set({ 'floodgate.rid': attempt.rid });
    const judged = await this.seckill.reserve(saleId, laneOf(accountId, document.lanes), attempt);
    if (judged.word === 'gated') this.gates.refused(document, attempt.accountId, attempt.gate);
    return this.answer(document, attempt, { ...judged, verdict });
  }

  /**
   * The refusal that the script would come to, from memory: forged tokens and floods cost neither message nor Redis. Only while the sale sells
   * for sure, and only where no replay can come first (with a forged token none does).
   */
  private refusalHere(document: SaleDocument, { actor, body }: Call<ReservationRequest>, { gate, refusal }: GateVerdict): Refusal | null {
    if (gate === 'clear' || !this.sales.sellsForSure(document)) return null;
    if (gate !== 'entry-token-forged' && this.mayHold(document.saleId, actor.accountId)) return null;
    const unknown = gate.startsWith('rate-') ? body.items.find(({ itemId }) => !document.items.some((item) => item.itemId === itemId)) : undefined;
    return unknown ? itemNotFound(unknown.itemId) : refusal;
  }

  private mayHold(saleId: string, accountId: string): boolean {
    return this.heldHere.get(`${saleId}|${accountId}`) !== undefined || this.sales.board.isAdmitted(saleId, hash32(accountId));
  }

  private attemptOf(document: SaleDocument, { actor, headers, body, request }: Call<ReservationRequest>, { gate }: GateVerdict): BuyerAttempt {
    const { saleId, ridSecret } = document;
    return {
      rid: reservationId(saleId, ridSecret, actor.accountId, headers['idempotency-key'] ?? ''),
      accountId: actor.accountId,
      ipHash: document.limits.perIp === null ? '' : this.addresses.hashOf(request, ridSecret),
      gate,
      items: packItems(body.items),
    };
  }

  private answer(document: SaleDocument, attempt: BuyerAttempt, judged: JudgedAttempt): Answer {
    if (mayHoldAfter.has(judged.word)) this.heldHere.set(`${document.saleId}|${attempt.accountId}`, true);
    if (judged.word === 'reserved' || judged.word === 'replayed') return this.accepted(attempt, judged);
    return refusalOf(document, attempt, judged);
  }

  private accepted(attempt: BuyerAttempt, { word, number = 0, reservedAtMs = 0 }: Judged): Answer {
    const { rid, accountId, items } = attempt;
    const value = {
      reservationId: rid,
      state: 'QUEUED',
      number,
      statusUrl: statusUrl(rid),
      pollAfterMs,
      receipt: this.receipts.write({ rid, accountId, items, number, reservedAtMs }),
      judgedAt: isoTime(reservedAtMs),
    };
    return word === 'replayed' ? { ok: true, value, headers: { 'idempotency-replayed': 'true' } } : { ok: true, value };
  }
}

interface JudgedAttempt extends Judged {
  verdict: GateVerdict;
}

/** After these the account may have a replay. */
const mayHoldAfter: ReadonlySet<Judged['word']> = new Set(['reserved', 'replayed', 'outcome-unknown']);

const statusUrl = (rid: string): string => `/v1/reservations/${rid}`;

const itemNotFound = (itemId: string): Refusal => refuse('ITEM_NOT_FOUND', 'The sale has no such item.', { itemId });

/** Seckill's word in the words of the contract. */
function refusalOf(document: SaleDocument, attempt: BuyerAttempt, judged: JudgedAttempt): Refusal {
  switch (judged.word) {
    case 'key-reused': return refuse('IDEMPOTENCY_KEY_REUSED', 'The key is bound to other items.');
    case 'not-open': return refuse('SALE_NOT_OPEN', 'The sale opens later.', { opensAt: isoTime(document.opensAtMs) });
    case 'paused': return refuse('SALE_PAUSED', 'The sale is paused.');
    case 'ended': return refuse('SALE_ENDED', 'The sale has ended.');
    case 'gated': return judged.verdict.refusal;
    case 'item-not-found': return itemNotFound(judged.itemId ?? '');
    case 'limit-reached': return refuse('LIMIT_REACHED', 'The limit is reached.', { limit: judged.limit, scope: judged.scope });
    case 'sold-out': {
      const { itemId, remaining = 0, mayReturn = false } = judged;
      return refuse('SOLD_OUT', 'Fewer units are left than you asked for.', { itemId, remaining, mayReturn });
    }
    case 'overloaded': return refuse('OVERLOADED', 'More attempts come than can be judged; nothing is held.');
    case 'outcome-unknown':
      return refuse('OUTCOME_UNKNOWN', 'It may have been held; the same key sent again tells.', { reservationId: attempt.rid, statusUrl: statusUrl(attempt.rid) });
    default: return refuse('UNAVAILABLE', 'The sale cannot sell at the moment; nothing is held.');
  }
}
