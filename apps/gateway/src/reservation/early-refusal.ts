import { Injectable } from '@nestjs/common';
import { hash32, type Refusal } from '@floodgate/contracts';
import type { FastifyRequest } from 'fastify';
import { bearerToken, claimedAccount } from '../admission/jwt.js';
import { Sales } from '../board/sales.js';

/**
 * Refusals that are the same for everybody, from the URL alone, before token and body are read: this decides what a sold-out sale costs.
 * An account that was ever admitted in the sale is never refused early, it may have to reach its replay; its claimed name is enough for that.
 */
@Injectable()
export class EarlyRefusal {
  constructor(private readonly sales: Sales) {}

  /** @returns the refusal, or null where the request has to be read */
  judge(request: FastifyRequest): Refusal | null {
    const { saleId } = request.params as { saleId: string };
    const refusal = this.sales.refusalForAll(saleId);
    if (!refusal) return null;
    return this.mayHold(request) ? null : refusal;
  }

  /** Whether the account that the request claims to come from was admitted in its sale: only such a one can have a replay. */
  mayHold(request: FastifyRequest): boolean {
    const { saleId } = request.params as { saleId: string };
    const token = bearerToken(request.headers.authorization);
    const accountId = token === null ? null : claimedAccount(token);
    return accountId !== null && this.sales.board.isAdmitted(saleId, hash32(accountId));
  }
}
