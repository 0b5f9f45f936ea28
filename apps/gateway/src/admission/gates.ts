import { Injectable } from '@nestjs/common';
import { refuse, type Gate, type ProblemCode, type Refusal, type SaleDocument } from '@floodgate/contracts';
import type { FastifyRequest } from 'fastify';
import { RefusalReport } from '../audit-log/refusal-report.js';
import { PlatformClock } from '../board/platform-clock.js';
import { AttemptLimits } from '../limits/attempt-limits.js';
import { rateLimited, type Limited } from '../limits/rate-limited.js';
import { Eligibility } from './eligibility.js';
import { EntryTokens, type EntryTokenWord } from './entry-token.js';

type NamedGate = Exclude<Gate, 'clear' | `rate-limited-${string}`>;

/** An early one is genuine, so it may reach a replay like one that is too late. */
const gateOf: Record<EntryTokenWord, NamedGate | 'clear'> = { valid: 'clear', early: 'entry-token-expired', expired: 'entry-token-expired', forged: 'entry-token-forged' };
const refusals: Record<NamedGate, { code: ProblemCode; detail: string }> = {
  'entry-token-forged': { code: 'ENTRY_TOKEN_INVALID', detail: 'The entry token is not for this account and sale.' },
  'entry-token-expired': { code: 'ENTRY_TOKEN_INVALID', detail: 'The entry token is not valid at this time.' },
  'buyer-blocked': { code: 'BUYER_BLOCKED', detail: 'This account may not buy.' },
  'not-eligible': { code: 'NOT_ELIGIBLE', detail: 'The sale is not for this account.' },
};

/** What the gateway has against an attempt, and what the attempt is told where that decides. */
export interface GateVerdict {
  gate: Gate;
  refusal: Refusal;
}

/** What a gate is judged by: who asks, with which entry token, and whether the request was beyond a rate. */
export interface Asking {
  accountId: string;
  entryToken: string;
  limited: FastifyRequest['limited'];
}

/**
 * Why an attempt will be turned away unless it is a replay. The gateway only finds the reason; seckill judges it, after replay and the sale's
 * state, so that a winner who is blocked afterwards still gets the answer that was lost.
 */
@Injectable()
export class Gates {
  constructor(
    private readonly entryTokens: EntryTokens,
    private readonly eligibility: Eligibility,
    private readonly clock: PlatformClock,
    private readonly report: RefusalReport,
    private readonly limits: AttemptLimits,
  ) {}

  /** Why this account cannot be judged in this sale yet, or null. */
  ready(document: SaleDocument, accountId: string): Refusal | null | Promise<Refusal | null> {
    return this.eligibility.ready(document, accountId);
  }

  /** In the order of the contract. What comes as far as the rates counts as an attempt. */
  judge(document: SaleDocument, { accountId, entryToken, limited }: Asking): GateVerdict {
    const nowMs = this.clock.nowOrLocalMs();
    const gate = gateOf[this.entryTokens.check(entryToken, document.saleId, accountId, nowMs)];
    if (gate !== 'clear') return named(gate);
    const eligible = this.eligibility.judge(document, accountId);
    if (eligible !== 'clear') return named(eligible);
    const passed = limited ?? this.limits.count(document, accountId);
    return passed ? beyond(passed) : clear;
  }

  /** An attempt was turned away at this gate. */
  refused({ saleId }: SaleDocument, accountId: string, gate: Gate): void {
    if (gate === 'entry-token-forged') this.report.noteAbuse(saleId, accountId);
  }
}

const clear: GateVerdict = { gate: 'clear', refusal: refuse('UNAVAILABLE', 'The attempt could not be judged.') };
const named = (gate: NamedGate): GateVerdict => ({ gate, refusal: refuse(refusals[gate].code, refusals[gate].detail) });
const beyond = (limited: Limited): GateVerdict => ({ gate: `rate-limited-${limited.scope}`, refusal: rateLimited(limited) });
