import { Controller } from '@nestjs/common';
import { refuse, saleOfReservation } from '@floodgate/contracts';
import { Operation, type Answer, type Call } from '../openapi/operation.decorator.js';
import { Services } from '../problem/services.js';

/** The codes of one order: redeemed by its merchant, replaced by operators. */
@Controller()
export class OrderCodesController {
  constructor(private readonly services: Services) {}

  @Operation('redeemCodes')
  async redeemCodes({ actor, path, body }: Call<{ codes: string[] }>): Promise<Answer> {
    const rid = path['id'] ?? '';
    return saleOfReservation(rid) === null ? notFound() : this.services.ask('redeem-codes', { actor, rid, codes: body.codes });
  }

  @Operation('reissueCodes')
  async reissueCodes({ actor, path, headers, body }: Call<{ codes: string[]; reason: string }>): Promise<Answer> {
    const rid = path['id'] ?? '';
    if (saleOfReservation(rid) === null) return notFound();
    const answer = await this.services.ask('reissue-codes', { actor, rid, key: headers['idempotency-key'] ?? '', codes: body.codes, reason: body.reason });
    if (!answer.ok) return answer;
    return { ok: true, value: answer.value.reissued, ...(answer.value.replayed ? { headers: { 'idempotency-replayed': 'true' } } : {}) };
  }
}

const notFound = () => refuse('NOT_FOUND', 'There is no such order.');
