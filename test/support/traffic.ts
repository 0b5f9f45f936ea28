import { expect } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { solveChallenge } from '../../tools/src/scenario/solve-challenge.js';
import { Buyer, expectStatus, nextPoll, type Api, type ApiAnswer } from './api.js';
import { eventually } from './eventually.js';

/** Buyers who come one after the other, all the time, and go on to the other gateway where one is gone. */
export class Traffic {
  /** Who was refused, and how. */
  readonly refused: string[] = [];
  readonly paid = new Map<string, number>();
  issue: (accountId: string) => Promise<string> = async () => '';
  private running = false;
  private turn = 0;
  /** Purchases of each walker. */
  private readonly done: number[] = [];
  private readonly walkers: Promise<void>[] = [];

  constructor(private readonly apis: readonly Api[], private readonly sales: readonly { saleId: string; itemId: string }[]) {}

  get saleIds(): string[] {
    return this.sales.map(({ saleId }) => saleId);
  }

  start(): void {
    this.running = true;
    for (let n = 0; n < 2 * this.sales.length; n++) {
      this.done.push(0);
      this.walkers.push(this.walk(n));
    }
  }

  async stop(): Promise<void> {
    this.running = false;
    await Promise.all(this.walkers);
  }

  /** Resolves when everybody who is under way now has finished, and others since. */
  async expectTurnOver(): Promise<void> {
    const goals = this.done.map((done) => done + 2);
    await eventually(() => {
      expect(this.refused).toEqual([]);
      goals.forEach((goal, number) => expect(this.done[number]).toBeGreaterThanOrEqual(goal));
    }, { timeoutMs: 90_000 });
  }

  private async walk(number: number): Promise<void> {
    const sale = this.sales[number % this.sales.length]!;
    for (; this.running; await nextPoll()) {
      try {
        // Every second one pays; the others' orders wait.
        await this.buy(sale, this.done[number]! % 2 === 0);
      } catch (error) {
        this.refused.push((error as Error).message);
      }
      this.done[number]!++;
    }
  }

  private async buy({ saleId, itemId }: { saleId: string; itemId: string }, pays: boolean): Promise<void> {
    const accountId = `buyer-${randomUUID()}`;
    const token = await this.issue(accountId);
    const { token: entryToken } = await this.enter(saleId, token);
    const { reservationId: id } = await this.send(202, 'POST', `/v1/sales/${saleId}/reservations`, { token, key: 'k', body: { entryToken, items: [{ itemId, quantity: 1 }] } });
    if (!pays) return;
    await this.reach(id, token, ['ORDERED']);
    const { redirectUrl } = await this.send(201, 'POST', `/v1/orders/${id}/payments`, { token, key: 'k', body: { provider: 'sandbox' } });
    // A provider that is being restarted hears of it again.
    await this.retry(async () => (await new Buyer(this.apis[0]!, accountId).settle(redirectUrl, { outcome: 'capture' }).catch(() => 0)) === 202);
    await this.reach(id, token, ['PAID', 'FULFILLED']);
    this.paid.set(saleId, (this.paid.get(saleId) ?? 0) + 1);
  }

  private async enter(saleId: string, token: string): Promise<{ token: string }> {
    if (saleId === this.saleIds[0]) return this.send(200, 'POST', `/v1/sales/${saleId}/entry-token`, { token });
    for (;;) {
      const { puzzle } = await this.send(200, 'POST', `/v1/sales/${saleId}/challenge`, { token });
      const { answer, tries } = await this.ask('POST', `/v1/sales/${saleId}/entry-token`, { token, body: { solution: await solveChallenge(puzzle) } });
      // An answer that was lost has used the solution up, and the next puzzle is there at once; whoever got an answer has no such excuse.
      if (tries === 1 || answer.status !== 403) return expectStatus(200, answer);
    }
  }

  private async reach(id: string, token: string, states: string[]): Promise<void> {
    await this.retry(async () => {
      const { state } = await this.send(200, 'GET', `/v1/reservations/${id}`, { token });
      if (state === 'RELEASED') throw new Error(`${id} was released`);
      return states.includes(state);
    });
  }

  private async send(status: number, method: string, path: string, options: object): Promise<any> {
    const { answer } = await this.ask(method, path, options);
    // A payment that was started by a request whose answer was lost is there already.
    return expectStatus(status === 201 && answer.status === 200 ? 200 : status, answer);
  }

  private async ask(method: string, path: string, options: object): Promise<{ answer: ApiAnswer; tries: number }> {
    let found: ApiAnswer | null = null;
    let tries = 0;
    await this.retry(async () => {
      const api = this.apis[this.turn++ % this.apis.length]!;
      tries++;
      // Gone, or going: the other one is there.
      found = await api.call(method, path, options).catch(() => null);
      return found !== null && found.status !== 503;
    });
    return { answer: found!, tries };
  }

  private async retry(act: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + 60_000;
    while (!(await act())) {
      if (Date.now() > deadline) throw new Error('no answer within a minute');
      await nextPoll();
    }
  }
}
