import type { Challenge } from 'altcha-lib';

import { codeOf, type Answered } from './http-client.js';
import { persist } from './persist.js';
import { solveChallenge } from './solve-challenge.js';
import type { StagedSale, Stage } from './stage.js';

/** Patience with a platform that gives no token: a crash and its restart, and then some. */
const patienceMs = 30_000;
/** A solution is used up by a request whose answer got lost. */
const puzzlesMax = 3;
/** Puzzles asked for at once. */
const workers = 8;

/** The entry tokens of the buyers, fetched once each and again when one has expired. */
export class Entry {
  private readonly tokens = new Map<string, Promise<string | null>>();
  private readonly solutions = new Map<string, string>();
  private working: Promise<unknown> = Promise.resolve();
  /** The last token of each buyer, expired or not: whoever won with it is told so again with it, also when there are no others any more. */
  private readonly last = new Map<string, string>();

  /** @param challenge whether a puzzle has to be solved for each token */
  constructor(private readonly stage: Stage, private readonly sale: StagedSale, private readonly challenge: 'none' | 'proof-of-work') {}

  /** Buyers who come early solve their puzzles before the opening. */
  async prepare(buyers: readonly string[]): Promise<void> {
    if (this.challenge === 'none') return;
    const waiting = [...buyers];
    const work = async (): Promise<void> => {
      for (let buyer = waiting.shift(); buyer !== undefined && !this.stage.pauses.stopped; buyer = waiting.shift()) {
        const solution = await this.solve(buyer);
        if (solution !== null) this.solutions.set(buyer, solution);
      }
    };
    await Promise.all(Array.from({ length: workers }, work));
  }

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
    const token = await this.earn(buyer);
    if (token !== null) this.last.set(buyer, token);
    return this.last.get(buyer) ?? null;
  }

  private async earn(buyer: string): Promise<string | null> {
    if (this.challenge === 'none') return tokenIn(await this.ask(buyer, 'entry-token', {}));
    for (let puzzles = 1; puzzles <= puzzlesMax && !this.stage.pauses.stopped; puzzles++) {
      const solution = this.solutions.get(buyer) ?? await this.solve(buyer);
      this.solutions.delete(buyer);
      if (solution === null) return null;
      const answer = await this.ask(buyer, 'entry-token', { solution });
      if (!answer || codeOf(answer) !== 'CHALLENGE_FAILED') return tokenIn(answer);
    }
    return null;
  }

  private async solve(buyer: string): Promise<string | null> {
    const answer = await this.ask(buyer, 'challenge', {});
    if (answer?.status !== 200) return null;
    // One after the other: worked on together, all would be ready only when the last is.
    const mine = this.working.then(() => this.stage.pauses.stopped ? null : solveChallenge(answer.body.puzzle as Challenge));
    this.working = mine.catch(() => undefined);
    return mine.catch(() => null); // Not in time: without a solution nobody enters.
  }

  private ask(buyer: string, what: 'entry-token' | 'challenge', body: object): Promise<Answered | null> {
    const call = { method: 'POST', path: `/v1/sales/${this.sale.id}/${what}`, ...this.stage.as(buyer), ...(what === 'entry-token' && { body }) } as const;
    return persist(() => this.stage.rush.call(call), { pauses: this.stage.pauses, untilMs: Date.now() + patienceMs });
  }
}

const tokenIn = (answer: Answered | null): string | null => (answer?.status === 200 && typeof answer.body.token === 'string' ? answer.body.token : null);
