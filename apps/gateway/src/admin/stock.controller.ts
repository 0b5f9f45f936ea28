import { Controller } from '@nestjs/common';
import { refuse, type Refusal } from '@floodgate/contracts';
import { PlatformClock } from '../board/platform-clock.js';
import { SaleCatalogue } from '../board/sale-catalogue.js';
import type { Fault } from '../openapi/fault-messages.js';
import { Operation, type Answer, type Call } from '../openapi/operation.decorator.js';
import { Services } from '../problem/services.js';

const unitsMax = 2 ** 31 - 1;

/** A change changes something, by a number of units that can be counted. */
function countable(body: { delta?: unknown } | null): Fault[] {
  const delta = body?.delta;
  if (typeof delta !== 'number' || (delta !== 0 && Math.abs(delta) <= unitsMax)) return [];
  return [{ path: '/delta', message: delta === 0 ? 'must not be 0' : `must be between -${unitsMax} and ${unitsMax}` }];
}

/** Operators change the units of an item while it sells. */
@Controller()
export class StockController {
  constructor(private readonly services: Services, private readonly clock: PlatformClock, private readonly catalogue: SaleCatalogue) {}

  @Operation('changeStock', { rule: countable })
  async changeStock({ actor, path, headers, body }: Call<{ delta: number; reason: string }>): Promise<Answer> {
    const saleId = path['id'] ?? '';
    const itemId = path['itemId'] ?? '';
    const key = headers['idempotency-key'] ?? '';
    const changed = await this.services.ask('change-stock', { actor, saleId, itemId, key, ...body, nowMs: this.clock.nowOrLocalMs() });
    if (!changed.ok) return changed.code === 'NOT_FOUND' ? this.notFound(changed, { actor, saleId, itemId }) : mayBeDone(changed);
    // Who changes the stock and then looks here finds it changed.
    this.catalogue.stockChanged({ ...changed.value.change, saleId });
    return { ok: true, value: changed.value.change, ...(changed.value.replayed ? { headers: { 'idempotency-replayed': 'true' } } : {}) };
  }

  /** The order service knows only what was armed; promotion knows what a sale is before. */
  private async notFound(refusal: Refusal, { actor, saleId, itemId }: { actor: Call['actor']; saleId: string; itemId: string }): Promise<Refusal> {
    const sale = await this.services.ask('get-sale', { actor, saleId, nowMs: this.clock.nowOrLocalMs() });
    if (!sale.ok) return sale;
    if (!sale.value.items.some(({ id }) => id === itemId)) return refusal;
    return refuse('INVALID_TRANSITION', 'Stock is changed from the arming to the end of a sale.', { state: sale.value.state });
  }
}

/** Without an answer nobody knows whether it was done; the same key sent again tells. */
const mayBeDone = (refusal: Refusal): Refusal =>
  refusal.code === 'UNAVAILABLE' && refusal.extra?.['outcome'] === undefined ? { ...refusal, extra: { ...refusal.extra, outcome: 'unknown' } } : refusal;
