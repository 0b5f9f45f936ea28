import { createLogger, errorText } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { DigestStore, type DueSale } from './digest.store.js';
import { digestOf, type Figures, type Occasion } from './digest.text.js';
import { FiguresClient } from './figures.client.js';

/** How often figures come while a sale is on, and where its figures are to be read; `link` has `{saleId}` in it. */
export class DigestOptions {
  constructor(readonly everyMs: number, readonly link: string | null) {}
}

/** Tells the team how each sale goes: at the opening, every few minutes, when it is sold out, at the end. Once each, whatever restarts. */
@Injectable()
export class DigestJob {
  private readonly log = createLogger('digests');
  private running = false;

  constructor(private readonly digests: DigestStore, private readonly figures: FiguresClient, private readonly options: DigestOptions) {}

  @Interval(5_000)
  async tick(): Promise<void> {
    if (this.running) return;
    this.running = true;
    try {
      const isHeard = await this.digests.isHeard();
      for (const sale of await this.digests.due()) await this.look(sale, isHeard);
    } catch (error) {
      // The database or the broker is away: the next tick looks again.
      this.log.warn(`digests could not be told: ${errorText(error)}`);
    } finally {
      this.running = false;
    }
  }

  private async look(sale: DueSale, isHeard: boolean): Promise<void> {
    const opened = sale.opensAtMs <= sale.nowMs;
    const over = sale.closesAtMs <= sale.nowMs || ['ENDED', 'WITHDRAWN', 'REJECTED'].includes(sale.state);
    if (over && (!isHeard || !opened || sale.state === 'REJECTED')) return this.digests.drop(sale.saleId);
    // Nobody is asked for figures that nobody reads.
    if (!isHeard) return;
    const remaining = await this.figures.remaining(sale.saleId);
    if (over) return this.tell(sale, 'end', 'end', remaining);
    if (!sale.told.includes('opening')) await this.tell(sale, 'opening', 'opening', null);
    if (remaining === 0 && !sale.told.includes('sold-out')) await this.tell(sale, 'sold-out', 'sold-out', remaining);
    const turn = Math.floor((sale.nowMs - sale.opensAtMs) / this.options.everyMs);
    if (turn > 0 && !sale.told.includes(`figures-${turn}`)) await this.tell(sale, 'figures', `figures-${turn}`, remaining);
  }

  /** Without figures it is told with a later tick, but for the opening, which has none. */
  private async tell(sale: DueSale, occasion: Occasion, key: string, remaining: number | null): Promise<void> {
    const figures: Figures | null = occasion === 'opening' ? null : await this.figures.read(sale.saleId, remaining);
    if (occasion !== 'opening' && figures === null) return;
    const link = this.options.link?.replaceAll('{saleId}', sale.saleId) ?? null;
    await this.digests.tell(sale.saleId, key, digestOf(sale, occasion, key, figures, link), occasion === 'end');
  }
}
