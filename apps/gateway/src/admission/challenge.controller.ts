import { Controller } from '@nestjs/common';
import { refuse } from '@floodgate/contracts';
import { isoTime } from '@floodgate/platform';
import { Sales } from '../board/sales.js';
import { Operation, type Answer, type Call } from '../openapi/operation.decorator.js';
import { isRefusal } from '../problem/services.js';
import { ChallengeDoor } from './challenge-door.js';

@Controller()
export class ChallengeController {
  constructor(private readonly sales: Sales, private readonly door: ChallengeDoor) {}

  /** Also before the opening: who has solved it by then enters at once. */
  @Operation('createChallenge')
  async createChallenge({ path, actor }: Call): Promise<Answer> {
    const document = await this.sales.catalogue.find(path['saleId'] ?? '');
    if (isRefusal(document)) return document;
    const nowMs = this.sales.clock.nowMs();
    if (nowMs === null) return refuse('UNAVAILABLE', 'The platform is starting.');
    const { puzzle, expiresMs } = await this.door.create(document.saleId, actor.accountId, nowMs);
    return { ok: true, value: { puzzle, expiresAt: isoTime(expiresMs) } };
  }
}
