import { Controller } from '@nestjs/common';
import { audienceChunkMax, type Outcome } from '@floodgate/contracts';
import { Operation, type Answer, type Call } from '../openapi/operation.decorator.js';
import { Services } from '../problem/services.js';

interface Added { added: number; duplicates: number }

/** Audiences that do not fit into a sale's body, and codes that let their holders in. */
@Controller()
export class AudienceAdminController {
  constructor(private readonly services: Services) {}

  /** A large list comes in as many calls as it takes; sent again after a failure it changes nothing that was done. */
  @Operation('importAudience')
  async importAudience({ actor, path, body }: Call<{ accounts: string[] }>): Promise<Answer<Added & { received: number }>> {
    const total = { received: body.accounts.length, added: 0, duplicates: 0 };
    for (let at = 0; at < body.accounts.length; at += audienceChunkMax) {
      const chunk: Outcome<Added> = await this.services.ask('add-audience', { actor, saleId: path['id'] ?? '', accounts: body.accounts.slice(at, at + audienceChunkMax) });
      if (!chunk.ok) return chunk;
      total.added += chunk.value.added;
      total.duplicates += chunk.value.duplicates;
    }
    return { ok: true, value: total };
  }

  @Operation('addAudienceCodes')
  addAudienceCodes({ actor, path, body }: Call<{ codes: { code: string; uses?: number }[] }>): Promise<Answer<Added>> {
    const codes = body.codes.map(({ code, uses = 1 }) => ({ code, uses }));
    return this.services.ask('add-audience-codes', { actor, saleId: path['id'] ?? '', codes });
  }
}
