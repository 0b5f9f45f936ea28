import type { StagedSale, Stage } from './stage.js';
import { persist } from './persist.js';

/** Patience with a platform that gives no token: a crash and its restart, and then some. */
const patienceMs = 30_000;

/** The entry tokens of the buyers, fetched once each and again when one has expired. */
export class Entry {
  private readonly tokens = new Map<string, Promise<string | null>>();

  constructor(private readonly stage: Stage, private readonly sale: StagedSale) {}

  /** The buyer's entry token; null when the platform gives none. */
  tokenOf(buyer: string): Promise<string | null> {
    let token = this.tokens.get(buyer);
    if (!token) this.tokens.set(buyer, token = this.fetch(buyer));
    return token;
  }

  /** Another token after `refused` was turned down; whoever comes second gets the new one. */
  async renew(buyer: string, refused: string): Promise<string | null> {
    const current = await this.tokenOf(buyer);
    if (current !== null && current !== refused) return current;
    this.tokens.delete(buyer);
    return this.tokenOf(buyer);
  }

  private async fetch(buyer: string): Promise<string | null> {
    const call = { method: 'POST', path: `/v1/sales/${this.sale.id}/entry-token`, token: this.stage.tokenOf(buyer), body: {} } as const;
    const answer = await persist(() => this.stage.rush.call(call), { pauses: this.stage.pauses, untilMs: Date.now() + patienceMs });
    return answer?.status === 200 && typeof answer.body.token === 'string' ? answer.body.token : null;
  }
}
