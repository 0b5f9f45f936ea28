import { Injectable } from '@nestjs/common';
import type { Refusal } from '@floodgate/contracts';
import type { FastifyRequest } from 'fastify';
import { ClientAddresses } from '../admission/client-address.js';
import { Switches } from '../switches/switches.js';
import { rateLimited, type Limited } from './rate-limited.js';
import type { LimitedRoute } from './request-class.js';
import { TokenBuckets } from './token-buckets.js';

/** 3 MB each, and more addresses and accounts than one gateway serves within a bucket's time. */
const keysMax = 262_144;

declare module 'fastify' {
  interface FastifyRequest {
    /** The limit that a reservation's request has passed; it is refused in its place in the order of refusals, after a replay. */
    limited: Limited | null;
  }
}

/** Whether the account that a request claims was admitted in its sale, so that it may have a replay. */
type MayHold = (request: FastifyRequest) => boolean;

/**
 * Rates per address and per account, each gateway by itself. Whatever passes one is 429 at once, except reservations: those are only noted, as
 * many again as are allowed. What comes on top of that is a flood, and is 429 before token and body are read, unless it may be a replay.
 */
@Injectable()
export class RequestLimits {
  /** Milliseconds of a clock that never goes back. */
  now: () => number = () => performance.now();
  private readonly buckets = { ip: buckets(), account: buckets() };

  constructor(private readonly switches: Switches, private readonly addresses: ClientAddresses) {}

  /** Before the token is looked at. @returns the refusal, if any */
  judgeAddress(route: LimitedRoute, request: FastifyRequest, mayHold: MayHold): Refusal | null {
    const perMinute = this.switches.values['limits.ip.requests-per-minute'];
    if (perMinute === 0 || !route.counted) return null;
    return this.judge('ip', this.addresses.countedOf(request), perMinute, { route, request, mayHold });
  }

  /** With a token that was found good. @returns the refusal, if any */
  judgeAccount(route: LimitedRoute, request: FastifyRequest, mayHold: MayHold): Refusal | null {
    const perMinute = this.switches.values['limits.account.requests-per-minute'];
    if (perMinute === 0 || !route.counted || request.actor.accountId === '') return null;
    return this.judge('account', request.actor.accountId, perMinute, { route, request, mayHold });
  }

  private judge(scope: 'ip' | 'account', key: string, perMinute: number, { route, request, mayHold }: { route: LimitedRoute; request: FastifyRequest; mayHold: MayHold }): Refusal | null {
    const burst = this.switches.values[`limits.${scope}.burst`];
    const { served, noted } = this.buckets[scope];
    const nowMs = this.now();
    const waitMs = served.take(key, perMinute, burst, nowMs);
    if (waitMs === 0) return null;
    const limited = { scope, waitMs };
    const isFlood = !route.notes || noted.take(key, perMinute, burst, nowMs) > 0;
    if (isFlood && !(route.notes && mayHold(request))) return rateLimited(limited);
    request.limited ??= limited;
    return null;
  }
}

const buckets = () => ({ served: new TokenBuckets(keysMax), noted: new TokenBuckets(keysMax) });
