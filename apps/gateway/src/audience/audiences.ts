import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { audienceHash, refuse, unpackHashes, type Answer, type Refusal, type SaleDocument } from '@floodgate/contracts';
import { Shutdown } from '@floodgate/platform';
import { PlatformClock } from '../board/platform-clock.js';
import { SaleCatalogue } from '../board/sale-catalogue.js';
import { Services, isRefusal } from '../problem/services.js';
import { Audience } from './audience.js';

const followMs = 1_000;
/** The audiences of all sales that can still be sold, held here so that no attempt costs a question. */
@Injectable()
export class Audiences implements OnApplicationBootstrap {
  private readonly loaded = new Map<string, Audience>();
  private readonly loading = new Map<string, Promise<boolean>>();
  private readonly guests = new Map<string, { current: Promise<boolean> | null; next: Promise<boolean> | null }>();
  private timer: NodeJS.Timeout | null = null;
  private stopped = false;

  constructor(
    private readonly services: Services,
    private readonly catalogue: SaleCatalogue,
    private readonly clock: PlatformClock,
    private readonly shutdown: Shutdown,
  ) {}

  onApplicationBootstrap(): void {
    this.shutdown.onDrain('audiences', () => {
      this.stopped = true;
      if (this.timer) clearTimeout(this.timer);
    });
    void this.keepFollowing();
  }

  /** Whether the account may buy, as far as it is known here; null while the audience is not. */
  has(document: SaleDocument, accountId: string): boolean | null {
    if (!document.audience) return true;
    return this.loaded.get(document.saleId)?.has(audienceHash(document.ridSecret, accountId)) ?? null;
  }

  /**
   * Makes sure that {@link has} can be relied on for this account: a guest who came elsewhere is asked for.
   * @returns why it cannot
   */
  async settle(document: SaleDocument, accountId: string): Promise<Refusal | null> {
    const known = this.has(document, accountId);
    if (known || (known === false && !document.audience?.byCode)) return null;
    const isCurrent = known === null ? await this.follow(document) : await this.askGuests(document.saleId);
    return isCurrent ? null : refuse('UNAVAILABLE', 'Who may buy is not known at the moment.');
  }

  /** Brings every audience up to date, and forgets those of the past. */
  async followAll(): Promise<void> {
    const nowMs = this.clock.nowOrLocalMs();
    const sales = [...this.catalogue.all()].filter(({ audience, closesAtMs }) => audience && closesAtMs > nowMs - pastMs);
    const current = new Set(sales.map(({ saleId }) => saleId));
    for (const known of [this.loaded, this.guests]) for (const saleId of known.keys()) if (!current.has(saleId)) known.delete(saleId);
    for (const document of sales) {
      if (this.stopped) return;
      await this.follow(document);
    }
  }

  private async follow(document: SaleDocument): Promise<boolean> {
    const { saleId, audience } = document;
    if (!this.loaded.has(saleId) && !await this.load(saleId)) return false;
    return audience?.byCode ? this.askGuests(saleId) : true;
  }

  private load(saleId: string): Promise<boolean> {
    const loading = this.loading.get(saleId) ?? this.readMembers(saleId).finally(() => this.loading.delete(saleId));
    this.loading.set(saleId, loading);
    return loading;
  }

  private async readMembers(saleId: string): Promise<boolean> {
    const pages: Float64Array[] = [];
    for (let after: number | null = -1; after !== null;) {
      const page: Answer<'list-audience'> | Refusal = await this.services.ask('list-audience', { saleId, after });
      if (isRefusal(page)) return false;
      pages.push(unpackHashes(page.hashes));
      after = page.next;
    }
    const members = new Float64Array(pages.reduce((sum, page) => sum + page.length, 0));
    let at = 0;
    for (const page of pages) {
      members.set(page, at);
      at += page.length;
    }
    this.loaded.set(saleId, new Audience(members));
    return true;
  }

  /** A question that began earlier may miss who came since, so those who ask while one is under way share the next. */
  private askGuests(saleId: string): Promise<boolean> {
    const questions = this.guests.get(saleId) ?? { current: null, next: null };
    this.guests.set(saleId, questions);
    if (!questions.current) {
      questions.current = this.readGuests(saleId).finally(() => { questions.current = null; });
      return questions.current;
    }
    questions.next ??= questions.current.then(() => {
      questions.next = null;
      return this.askGuests(saleId);
    });
    return questions.next;
  }

  private async readGuests(saleId: string): Promise<boolean> {
    for (;;) {
      const audience = this.loaded.get(saleId);
      if (!audience) return false;
      const page = await this.services.ask('list-guests', { saleId, after: audience.guestsTo });
      if (isRefusal(page)) return false;
      audience.addGuests(page.hashes, page.last);
      if (!page.more) return true;
    }
  }

  private async keepFollowing(): Promise<void> {
    await this.followAll();
    if (this.stopped) return;
    this.timer = setTimeout(() => void this.keepFollowing(), followMs);
    this.timer.unref();
  }
}

/** Longer than anybody asks about a sale that is over. */
const pastMs = 3_600_000;
