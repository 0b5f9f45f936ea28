import type { Ask } from '@floodgate/contracts';
import { InfrastructureError } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { Redis } from 'ioredis';

export type Challenge = Ask<'use-challenges'>['challenges'][number];

/** Gateways' clocks are estimates of Redis's; a challenge must not be forgotten before the last of them holds it for expired. */
const keptAfterMs = 60_000;

/**
 * Which challenges were used, until they expire. Not part of any lane: what is lost with Redis here lets a solution count twice within its
 * few minutes, and sells nothing.
 */
@Injectable()
export class UsedChallengeStore {
  constructor(private readonly redis: Redis) {}

  /** @returns for each, in order, whether this is its first use. @throws InfrastructureError; some may be marked then */
  async use(challenges: readonly Challenge[]): Promise<boolean[]> {
    const pipeline = this.redis.pipeline();
    for (const { saleId, id, expiresMs } of challenges) pipeline.set(`challenge:{${saleId}}:${id}`, '', 'PXAT', expiresMs + keptAfterMs, 'NX');
    const replies = await pipeline.exec().catch((error: unknown) => { throw new InfrastructureError('redis set', { cause: error }); });
    return challenges.map((_, index) => {
      const [error, reply] = replies?.[index] ?? [new Error('no reply')];
      if (error) throw new InfrastructureError('redis set', { cause: error });
      return reply === 'OK';
    });
  }
}
