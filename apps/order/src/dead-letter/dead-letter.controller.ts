import type { Answer, Ask } from '@floodgate/contracts';
import { Answers } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { DeadLetterDesk } from './dead-letter.desk.js';

/** What the gateway asks for operators; it has checked their role. */
@Controller()
export class DeadLetterController {
  constructor(private readonly desk: DeadLetterDesk) {}

  @Answers('list-dead-letters')
  list({ limit, cursor }: Ask<'list-dead-letters'>): Promise<Answer<'list-dead-letters'>> {
    return this.desk.list(limit, cursor);
  }

  @Answers('get-dead-letter')
  get({ id }: Ask<'get-dead-letter'>): Promise<Answer<'get-dead-letter'>> {
    return this.desk.get(id);
  }

  @Answers('replay-dead-letter')
  replay({ id, actor, dryRun }: Ask<'replay-dead-letter'>): Promise<Answer<'replay-dead-letter'>> {
    return dryRun ? this.desk.foresee(id) : this.desk.replay(id, actor.accountId);
  }

  @Answers('discard-dead-letter')
  discard({ id, actor, reason }: Ask<'discard-dead-letter'>): Promise<Answer<'discard-dead-letter'>> {
    return this.desk.discard(id, actor.accountId, reason);
  }
}
