import { Injectable } from '@nestjs/common';
import { refuse, type MessageBody, type Refusal, type SaleDocument } from '@floodgate/contracts';
import { Services, isRefusal } from '../problem/services.js';
import { PlatformClock } from './platform-clock.js';

/** As whom the gateway looks a sale up: a role that may read them all and change none. */
const reader = { accountId: 'gateway', roles: ['auditor'] };
const publishedStates = new Set(['APPROVED', 'ARMED', 'OPEN', 'PAUSED', 'ENDED', 'WITHDRAWN']);
/** Questions about unknown ids that may be open at once; anybody can invent ids, and none of them costs more than one row. */
const lookupsMax = 64;
/** A sale that nobody listed a day after its end is of the past: looking for it again would list all others for nothing. */
const soughtAfterEndMs = 86_400_000;
/** Longer than promotion lists a sale after its end. */
const keptAfterEndMs = 3 * 86_400_000;

/** Every approved sale, whole. Events bring changes at once; what they miss comes with the next listing. */
@Injectable()
export class SaleCatalogue {
  private readonly sales = new Map<string, SaleDocument>();
  private readonly lookups = new Map<string, Promise<SaleDocument | Refusal>>();
  private listing: Promise<boolean> | null = null;
  private nextListing: Promise<boolean> | null = null;
  private listedOnce = false;

  constructor(private readonly services: Services, private readonly clock: PlatformClock) {}

  /** Whether the sales have been listed since the start. */
  get isLoaded(): boolean {
    return this.listedOnce;
  }

  get(saleId: string): SaleDocument | undefined {
    return this.sales.get(saleId);
  }

  all(): IterableIterator<SaleDocument> {
    return this.sales.values();
  }

  /**
   * The sale, asking promotion where it is not known here: it may have been approved at another gateway just now.
   * Refuses with SALE_NOT_FOUND only on promotion's word.
   */
  async find(saleId: string): Promise<SaleDocument | Refusal> {
    const known = this.sales.get(saleId);
    if (known) return known;
    const underWay = this.lookups.get(saleId);
    if (underWay) return underWay;
    if (this.lookups.size >= lookupsMax) return refuse('OVERLOADED', 'Too many sales are being looked up.');
    const lookup = this.lookUp(saleId).finally(() => this.lookups.delete(saleId));
    this.lookups.set(saleId, lookup);
    return lookup;
  }

  approved(document: SaleDocument): void {
    const known = this.sales.get(document.saleId);
    if (!known || document.version >= known.version) this.sales.set(document.saleId, known ? withNewestStock(document, known) : document);
  }

  /** Another quota of an item, if it is newer. A sale that is not known here comes with a listing, which has it. */
  stockChanged({ saleId, itemId, quota, stockVersion }: Pick<MessageBody<'stock.changed'>, 'saleId' | 'itemId' | 'quota' | 'stockVersion'>): void {
    const known = this.sales.get(saleId);
    if (!known) return;
    const changed = (item: SaleDocument['items'][number]) => item.itemId === itemId && stockVersion > (item.stockVersion ?? 0);
    if (known.items.some(changed)) this.sales.set(saleId, { ...known, items: known.items.map((item) => (changed(item) ? { ...item, quota, stockVersion } : item)) });
  }

  /** @returns false if the sale is not known here: a listing will bring it */
  changed({ saleId, version, state }: MessageBody<'sale.changed'>): boolean {
    const known = this.sales.get(saleId);
    if (!known) return false;
    if (version > known.version) this.sales.set(saleId, { ...known, version, state });
    return true;
  }

  /**
   * Lists every published sale. Calls that come while a listing runs share the next one: only a listing that began later can be trusted to
   * know what the caller knows. @returns whether promotion answered
   */
  refresh(): Promise<boolean> {
    if (!this.listing) {
      this.listing = this.list().finally(() => { this.listing = null; });
      return this.listing;
    }
    this.nextListing ??= this.listing.then(() => {
      this.nextListing = null;
      return this.refresh();
    });
    return this.nextListing;
  }

  /** Drops the sales of the past, which no listing brings back. */
  forgetPast(): void {
    const beforeMs = this.clock.nowOrLocalMs() - keptAfterEndMs;
    for (const { saleId, closesAtMs } of this.sales.values()) if (closesAtMs < beforeMs) this.sales.delete(saleId);
  }

  private async lookUp(saleId: string): Promise<SaleDocument | Refusal> {
    const found = await this.services.ask('get-sale', { actor: reader, saleId, nowMs: this.clock.nowOrLocalMs() });
    if (!found.ok) return found.code === 'NOT_FOUND' || found.code === 'SALE_NOT_FOUND' ? notFound() : found;
    const { state, closesAt } = found.value;
    if (!publishedStates.has(state) || Date.parse(closesAt) < this.clock.nowOrLocalMs() - soughtAfterEndMs) return notFound();
    const listed = await this.refresh();
    return this.sales.get(saleId) ?? (listed ? notFound() : refuse('UNAVAILABLE', 'The sales cannot be listed.'));
  }

  private async list(): Promise<boolean> {
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof this.listPage>> = await this.listPage(cursor);
      if (isRefusal(page)) return false;
      for (const document of page.sales) this.approved(document);
      cursor = page.next;
    } while (cursor !== null);
    this.listedOnce = true;
    return true;
  }

  private listPage(cursor: string | null) {
    return this.services.ask('list-published', { cursor });
  }
}

/** A listing may have been read before a change that was heard of already. */
function withNewestStock(document: SaleDocument, known: SaleDocument): SaleDocument {
  const heard = new Map(known.items.filter(({ stockVersion }) => stockVersion !== undefined).map((item) => [item.itemId, item]));
  if (heard.size === 0) return document;
  const items = document.items.map((item) => {
    const { quota, stockVersion = 0 } = heard.get(item.itemId) ?? item;
    return stockVersion > (item.stockVersion ?? 0) ? { ...item, quota, stockVersion } : item;
  });
  return { ...document, items };
}

const notFound = (): Refusal => refuse('SALE_NOT_FOUND', 'There is no such sale.');
