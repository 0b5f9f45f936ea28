import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Shutdown } from '@floodgate/platform';
import { Services, isRefusal } from '../problem/services.js';
import { Board } from './board.js';
import { SaleCatalogue } from './sale-catalogue.js';

/** Between tries to learn what is missing. */
const retryMs = 500;
/** Events bring every change at once; what a broken link swallowed comes with the next listing. */
const listingMs = 10_000;

/** Keeps board and catalogue complete: asks for everything at the start and whenever something was missed. */
@Injectable()
export class BoardKeeper implements OnApplicationBootstrap {
  private readonly timers = new Set<NodeJS.Timeout>();
  private asking: Promise<void> | null = null;
  private readonly refreshing = new Map<string, Promise<boolean>>();
  private stopped = false;

  constructor(
    private readonly services: Services,
    private readonly board: Board,
    private readonly catalogue: SaleCatalogue,
    private readonly shutdown: Shutdown,
  ) {}

  onApplicationBootstrap(): void {
    this.shutdown.onDrain('board', () => this.stop());
    void this.closeGap();
    void this.keepListing();
  }

  /** Asks for the whole board until no gap is left; one question at a time. */
  closeGap(): Promise<void> {
    this.asking ??= this.askUntilWhole().finally(() => { this.asking = null; });
    return this.asking;
  }

  /**
   * Asks for the lanes of one sale, for a reader who needs them newer than the last beat. Readers share one question: a crowd at the same
   * moment would keep busy the very process that sells. @returns whether seckill answered
   */
  refreshSale(saleId: string): Promise<boolean> {
    const asked = this.refreshing.get(saleId) ?? this.askForSale(saleId).finally(() => { this.refreshing.delete(saleId); });
    this.refreshing.set(saleId, asked);
    return asked;
  }

  private async askForSale(saleId: string): Promise<boolean> {
    const answer = await this.services.ask('get-board', { saleIds: [saleId] }, 800);
    if (isRefusal(answer) || !hasClock(answer)) return false;
    this.board.applyWhole(answer, null);
    return true;
  }

  private async askUntilWhole(): Promise<void> {
    while (this.board.hasGap && !this.stopped) {
      const gaps = this.board.gapCount;
      const answer = await this.services.ask('get-board', { saleIds: null });
      if (isRefusal(answer) || !hasClock(answer)) await this.pause(retryMs);
      else this.board.applyWhole(answer, gaps);
    }
  }

  private async keepListing(): Promise<void> {
    while (!this.stopped) {
      const listed = await this.catalogue.refresh();
      this.catalogue.forgetPast();
      this.board.forgetSilent();
      await this.pause(listed ? listingMs : retryMs);
    }
  }

  private stop(): void {
    this.stopped = true;
    for (const timer of this.timers) clearTimeout(timer);
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => { this.timers.delete(timer); resolve(); }, ms);
      timer.unref();
      this.timers.add(timer);
    });
  }
}

/** A seckill that has not reached Redis yet knows no time, and its board says nothing. */
const hasClock = ({ atMs }: { atMs: number }): boolean => atMs > 0;
