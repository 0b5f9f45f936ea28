import { Injectable } from '@nestjs/common';
import { refuse, type Refusal } from '@floodgate/contracts';
import { Batcher, InfrastructureError } from '@floodgate/platform';
import { Services, isRefusal } from '../problem/services.js';
import { ChallengeDifficulty } from './challenge-difficulty.js';
import { Challenges, type Solved } from './challenge.js';

/** Solutions under way at once; beyond that seckill is slower than they come. */
const underWayMax = 4_096;

interface Use extends Solved {
  saleId: string;
}

/** Lets a buyer in who has solved a puzzle, once per puzzle at whichever gateway. Solutions that come together are asked about together. */
@Injectable()
export class ChallengeDoor {
  private underWay = 0;
  private readonly uses = new Batcher<Use, boolean>((asks) => this.markUsed(asks), { sizeMax: 256, batchesInFlightMax: 2 });

  constructor(private readonly challenges: Challenges, private readonly difficulty: ChallengeDifficulty, private readonly services: Services) {}

  /** @param nowMs by the platform's clock */
  create(saleId: string, accountId: string, nowMs: number): ReturnType<Challenges['create']> {
    return this.challenges.create(saleId, accountId, this.difficulty.ask(accountId, nowMs), nowMs);
  }

  /** Why this solution does not open the door; null if it does, and from then on it is used. */
  async refusal(solution: unknown, saleId: string, accountId: string, nowMs: number): Promise<Refusal | null> {
    const solved = await this.challenges.check(solution, saleId, accountId, nowMs);
    if (!solved) return refuse('CHALLENGE_FAILED', 'A correct solution of a fresh challenge for this account and sale is needed.');
    if (this.underWay >= underWayMax) return refuse('OVERLOADED', 'More solutions come than can be checked.');
    this.underWay++;
    try {
      if (!(await this.uses.ask({ saleId, ...solved }))) return refuse('CHALLENGE_FAILED', 'This solution was used before; ask for another challenge.');
    } catch (error) {
      if (!(error instanceof UnansweredError)) throw error;
      return error.refusal;
    } finally {
      this.underWay--;
    }
    this.difficulty.solved(nowMs);
    return null;
  }

  private async markUsed(challenges: Use[]): Promise<boolean[]> {
    const answer = await this.services.ask('use-challenges', { challenges }, 1_000);
    if (isRefusal(answer)) throw new UnansweredError(answer);
    return answer.value.fresh;
  }
}

/** Nobody is guilty of an outage, so the batch is not halved to look for who is. */
class UnansweredError extends InfrastructureError {
  constructor(readonly refusal: Refusal) {
    super(refusal.detail);
  }
}
