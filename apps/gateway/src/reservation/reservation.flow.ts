import { Injectable } from '@nestjs/common';
import {
  laneOf, packItems, refuse, reservationId, type Attempt, type Gate, type ItemQuantity, type ProblemCode, type Refusal, type SaleDocument,
} from '@floodgate/contracts';
import { isoTime } from '@floodgate/platform';
import { ClientAddresses } from '../admission/client-address.js';
import { Gates } from '../admission/gates.js';
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

const gateRefusals: Record<Gate, { code: ProblemCode; detail: string }> = {
  'clear': { code: 'UNAVAILABLE', detail: 'The attempt could not be judged.' },
  'entry-token-forged': { code: 'ENTRY_TOKEN_INVALID', detail: 'The entry token is not for this account and sale.' },
  'entry-token-expired': { code: 'ENTRY_TOKEN_INVALID', detail: 'The entry token is not valid at this time.' },
  'buyer-blocked': { code: 'BUYER_BLOCKED', detail: 'This account may not buy.' },
  'not-eligible': { code: 'NOT_ELIGIBLE', detail: 'The sale is not for this account.' },
};

/** A checked attempt's way to Redis and back. What comes before (token, role, form of the request) is done by then. */
@Injectable()
export class ReservationFlow {
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
    const refusal = this.gates.refusalWhileStarting() ?? this.sales.refusalWithoutLanes(document) ?? this.sales.refusalForItems(document, call.actor.accountId, call.body.items);
    if (refusal) return refusal;
    const attempt = this.attemptOf(document, call);
    const judged = await this.seckill.reserve(saleId, laneOf(call.actor.accountId, document.lanes), attempt);
    if (judged.word === 'gated') this.gates.refused(document, attempt.accountId, attempt.gate);
    return this.answer(document, attempt, judged);
  }

  private attemptOf(document: SaleDocument, { actor, headers, body, request }: Call<ReservationRequest>): Attempt {
    const { saleId, ridSecret } = document;
    return {
      rid: reservationId(saleId, ridSecret, actor.accountId, headers['idempotency-key'] ?? ''),
      accountId: actor.accountId,
      ipHash: document.limits.perIp === null ? '' : this.addresses.hashOf(request, ridSecret),
      gate: this.gates.judge(document, actor.accountId, body.entryToken),
      items: packItems(body.items),
    };
  }

  private answer(document: SaleDocument, attempt: Attempt, judged: Judged): Answer {
    if (judged.word === 'reserved' || judged.word === 'replayed') return this.accepted(attempt, judged);
    return refusalOf(document, attempt, judged);
  }

  private accepted(attempt: Attempt, { word, number = 0, reservedAtMs = 0 }: Judged): Answer {
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

const statusUrl = (rid: string): string => `/v1/reservations/${rid}`;

/** Seckill's word in the words of the contract. */
function refusalOf(document: SaleDocument, attempt: Attempt, judged: Judged): Refusal {
  switch (judged.word) {
    case 'key-reused': return refuse('IDEMPOTENCY_KEY_REUSED', 'The key is bound to other items.');
    case 'not-open': return refuse('SALE_NOT_OPEN', 'The sale opens later.', { opensAt: isoTime(document.opensAtMs) });
    case 'paused': return refuse('SALE_PAUSED', 'The sale is paused.');
    case 'ended': return refuse('SALE_ENDED', 'The sale has ended.');
    case 'gated': return refuse(gateRefusals[attempt.gate].code, gateRefusals[attempt.gate].detail);
    case 'item-not-found': return refuse('ITEM_NOT_FOUND', 'The sale has no such item.', { itemId: judged.itemId });
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
