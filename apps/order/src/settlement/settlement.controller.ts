import { accept, refuse, type Answer, type Ask } from '@floodgate/contracts';
import { Answers } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { PaymentProviders } from '../payment-provider/payment-providers.js';
import { SettlementDesk } from './settlement.desk.js';
import type { DifferencePlace } from './settlement.store.js';

/** Shorter than the auditor's request may take; what is not done by then is asked for again by its id. */
const waitMs = 5_000;
const firstPage = 100;

/** Comparisons of a provider's book with ours, for the auditor. */
@Controller()
export class SettlementController {
  constructor(private readonly providers: PaymentProviders, private readonly desk: SettlementDesk) {}

  @Answers('compare-settlement')
  async compare({ provider: name, day }: Ask<'compare-settlement'>): Promise<Answer<'compare-settlement'>> {
    const provider = this.providers.find(name);
    if (!provider) return refuse('NOT_FOUND', 'no such payment provider');
    const id = await this.desk.ask(provider, day);
    await this.desk.wait(id, waitMs);
    return this.read({ provider: name, id, cursor: null, limit: firstPage });
  }

  @Answers('get-settlement')
  async read({ provider, id, cursor, limit }: Ask<'get-settlement'>): Promise<Answer<'get-settlement'>> {
    const after = placeOf(cursor);
    if (!after) return refuse('INVALID_REQUEST', 'not a page', { errors: [{ path: '/cursor', message: 'must be the nextCursor of the page before' }] });
    const view = await this.desk.view(provider, id, after, limit);
    if (!view) return refuse('NOT_FOUND', 'no such comparison');
    const last = view.differences.length === limit ? view.differences.at(-1) : undefined;
    return accept({ ...view, nextCursor: last ? cursorOf([last.orderId, last.paymentId ?? '', last.kind]) : null });
  }
}

const cursorOf = (place: DifferencePlace): string => Buffer.from(JSON.stringify(place)).toString('base64url');

function placeOf(cursor: string | null): DifferencePlace | null {
  if (cursor === null) return ['', '', ''];
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(place) && place.length === 3 && place.every((part) => typeof part === 'string') ? (place as DifferencePlace) : null;
  } catch {
    return null; // The answer is the same as for any other cursor that we did not write.
  }
}
