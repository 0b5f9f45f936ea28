import { Controller, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { accept, refuse, type Answer, type Ask } from '@floodgate/contracts';
import { Answers, errorText } from '@floodgate/platform';
import { AbuseStore } from './abuse.store.js';
import { BlockListStore } from './block-list.store.js';

const pruneMs = 60_000;

/** Who may not buy: what operators ask, what gateways follow and report. The gateway checked the role. */
@Controller()
export class BlockListController {
  private readonly logger = new Logger('BlockList');

  constructor(private readonly blockList: BlockListStore, private readonly abuse: AbuseStore) {}

  @Answers('get-block')
  async get({ accountId }: Ask<'get-block'>): Promise<Answer<'get-block'>> {
    const block = await this.blockList.find(accountId);
    return block ? accept(block) : refuse('NOT_FOUND', 'This account is not blocked.');
  }

  @Answers('set-block')
  async set({ actor, accountId, reason, untilMs }: Ask<'set-block'>): Promise<Answer<'set-block'>> {
    return accept(await this.blockList.block({ accountId, reason, untilMs, actor: actor.accountId }));
  }

  @Answers('lift-block')
  lift({ actor, accountId }: Ask<'lift-block'>): Promise<Answer<'lift-block'>> {
    return this.blockList.lift(accountId, actor.accountId);
  }

  @Answers('list-blocks')
  list({ after }: Ask<'list-blocks'>): Promise<Answer<'list-blocks'>> {
    return this.blockList.changes(after);
  }

  @Answers('report-refusals')
  async report(report: Ask<'report-refusals'>): Promise<Answer<'report-refusals'>> {
    return { noted: await this.abuse.take(report) };
  }

  @Interval(pruneMs)
  async prune(): Promise<void> {
    // The database is away: the next time finds the same rows.
    await this.abuse.prune().catch((error: unknown) => this.logger.warn(errorText(error)));
  }
}
