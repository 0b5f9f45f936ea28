import { accept, refuse, type Answer, type Ask } from '@floodgate/contracts';
import { Answers, createLogger, errorText } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { UsedChallengeStore } from './used-challenge.store.js';

/** The memory of all gateways: each solved challenge opens the door once. */
@Controller()
export class ChallengeController {
  private readonly logger = createLogger('challenges');

  constructor(private readonly used: UsedChallengeStore) {}

  @Answers('use-challenges')
  async useChallenges({ challenges }: Ask<'use-challenges'>): Promise<Answer<'use-challenges'>> {
    try {
      return accept({ fresh: await this.used.use(challenges) });
    } catch (error) {
      this.logger.debug(errorText(error));
      return refuse('UNAVAILABLE', 'it cannot be known now which challenges were used');
    }
  }
}
