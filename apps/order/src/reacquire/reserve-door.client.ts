import { packItems, reserveWords, type AttemptResult } from '@floodgate/contracts';
import { InfrastructureError, RequestClient, RequestError } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import type { Reacquisition } from './reacquisition.store.js';

/**
 * `held`: the units are reserved and their order is under way. `refused`: there are none for this buyer, and never will be by asking again.
 * `unknown`: nothing is known of this attempt, ask again under the same id.
 */
export type DoorAnswer = { answer: 'held' | 'refused' | 'unknown'; word: string };

const timeoutMs = 3_000;
/** Late is no harm here, since the id stays the same: only a question of another day is not to be carried out. */
const goodForMs = 60_000;

/** What each word of the reserve script means for money that waits. Only a withdrawn sale has ended for who was admitted before. */
const meanings = {
  reserved: 'held', replayed: 'held',
  'sold-out': 'refused', 'limit-reached': 'refused', ended: 'refused', 'item-not-found': 'refused', 'key-reused': 'refused', gated: 'refused',
  'not-open': 'unknown', paused: 'unknown', unavailable: 'unknown', 'outcome-unknown': 'unknown',
} as const satisfies Record<(typeof reserveWords)[number], DoorAnswer['answer']>;

/** The one door through which units are taken, asked for a buyer whose money came late. */
@Injectable()
export class ReserveDoorClient {
  constructor(private readonly client: RequestClient) {}

  async reserve({ saleId, lane, newRid, accountId, ipHash, items }: Reacquisition): Promise<DoorAnswer> {
    const attempt = { rid: newRid, accountId, ipHash, gate: 'readmitted' as const, items: packItems(items) };
    let result: AttemptResult | undefined;
    try {
      result = (await this.client.ask('reserve', { saleId, lane, deadlineAtMs: Date.now() + goodForMs, attempts: [attempt] }, { timeoutMs })).results[0];
    } catch (error) {
      if (error instanceof RequestError || error instanceof InfrastructureError) return { answer: 'unknown', word: error.message };
      throw error;
    }
    return result ? { answer: meanings[result.word], word: result.word } : { answer: 'unknown', word: 'no result' };
  }
}
