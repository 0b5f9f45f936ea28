import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Shutdown } from '@floodgate/platform';
import { PlatformClock } from '../board/platform-clock.js';
import { Services, isRefusal } from '../problem/services.js';
import { BlockList } from './block-list.js';

/** An event tells at once; whoever missed it knows after this, well within the two seconds that are promised. */
const catchUpMs = 1_000;
const retryMs = 300;
const forgetEveryMs = 60_000;

/** Keeps the block list complete: all of it at the start, then what changed since. */
@Injectable()
export class BlockListKeeper implements OnApplicationBootstrap {
  private timer: NodeJS.Timeout | null = null;
  private stopped = false;
  private forgottenMs = 0;

  constructor(
    private readonly services: Services,
    private readonly list: BlockList,
    private readonly clock: PlatformClock,
    private readonly shutdown: Shutdown,
  ) {}

  onApplicationBootstrap(): void {
    this.shutdown.onDrain('block list', () => {
      this.stopped = true;
      if (this.timer) clearTimeout(this.timer);
    });
    void this.follow();
  }

  /** Asks for every change since the last one known. @returns whether promotion answered */
  async catchUp(): Promise<boolean> {
    for (let after = this.list.version ?? 0; ;) {
      const answer = await this.services.ask('list-blocks', { after });
      if (isRefusal(answer)) return false;
      this.list.apply(answer.entries);
      after = answer.entries.at(-1)?.version ?? after;
      // Before the first listing is complete, nothing may pass for it.
      if (this.list.version !== null || !answer.more) this.list.version = after;
      if (!answer.more) return true;
    }
  }

  private async follow(): Promise<void> {
    const isCurrent = await this.catchUp();
    const nowMs = this.clock.localMs();
    if (nowMs - this.forgottenMs > forgetEveryMs) {
      this.forgottenMs = nowMs;
      this.list.forgetPast(this.clock.nowOrLocalMs());
    }
    if (this.stopped) return;
    this.timer = setTimeout(() => void this.follow(), isCurrent ? catchUpMs : retryMs);
    this.timer.unref();
  }
}
