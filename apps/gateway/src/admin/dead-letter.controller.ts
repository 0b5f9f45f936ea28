import { Controller } from '@nestjs/common';
import { pageQuery } from '../openapi/page-query.js';
import { Operation, type Answer, type Call } from '../openapi/operation.decorator.js';
import { Services } from '../problem/services.js';

/** Messages that could not be processed: look, process again as they are, or give up. */
@Controller()
export class DeadLetterController {
  constructor(private readonly services: Services) {}

  @Operation('listDeadLetters')
  listDeadLetters({ query }: Call): Promise<Answer> {
    return this.services.ask('list-dead-letters', pageQuery(query));
  }

  @Operation('getDeadLetter')
  getDeadLetter({ path }: Call): Promise<Answer> {
    return this.services.ask('get-dead-letter', { id: path['id'] ?? '' });
  }

  @Operation('replayDeadLetter')
  replayDeadLetter({ actor, path, query }: Call): Promise<Answer> {
    return this.services.ask('replay-dead-letter', { actor, id: path['id'] ?? '', dryRun: query['dryRun'] === true });
  }

  @Operation('discardDeadLetter')
  discardDeadLetter({ actor, path, body }: Call<{ reason: string }>): Promise<Answer> {
    return this.services.ask('discard-dead-letter', { actor, id: path['id'] ?? '', reason: body.reason });
  }
}
