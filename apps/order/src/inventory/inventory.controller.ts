import { accept, refuse, type Answer, type Ask } from '@floodgate/contracts';
import { Answers } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { InventoryStore, unitsMax } from './inventory.store.js';

/** What an operator sees and sets of the real stock. The gateway checked the role. */
@Controller()
export class InventoryController {
  constructor(private readonly inventory: InventoryStore) {}

  @Answers('get-inventory')
  async get({ skuId }: Ask<'get-inventory'>): Promise<Answer<'get-inventory'>> {
    const found = await this.inventory.find(skuId);
    return found ? accept(found) : refuse('NOT_FOUND', `No inventory of ${skuId}.`);
  }

  @Answers('set-inventory')
  async set({ actor, skuId, units }: Ask<'set-inventory'>): Promise<Answer<'set-inventory'>> {
    if (units > unitsMax) return refuse('INVALID_REQUEST', 'more units than can be counted', { errors: [{ path: '/units', message: `must be at most ${unitsMax}` }] });
    await this.inventory.set(skuId, units, actor.accountId);
    return accept((await this.inventory.find(skuId))!);
  }
}
