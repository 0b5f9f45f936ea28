import { stockAccount, type Answer, type Ask } from '@floodgate/contracts';
import { Answers } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { Reservations } from './reservations.js';

/** An operator takes free units out of sale, by the door through which buyers take theirs: so none of them loses what it was promised. */
@Controller()
export class TakeBackController {
  constructor(private readonly reservations: Reservations) {}

  /** Held, and with the broker: `reserved` or `replayed`. The act's id makes it happen once, whoever repeats it. */
  @Answers('hold-take-back')
  async hold({ saleId, lane, deadlineAtMs, rid, itemId, quantity }: Ask<'hold-take-back'>): Promise<Answer<'hold-take-back'>> {
    const attempt = { rid, accountId: stockAccount, ipHash: '', gate: 'operator' as const, items: `${itemId}:${quantity}` };
    const [result] = await this.reservations.decide({ saleId, lane, deadlineAtMs, attempts: [attempt] });
    if (!result) throw new Error(`no result for ${rid}`);
    return { result };
  }
}
