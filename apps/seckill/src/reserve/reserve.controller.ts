import type { Answer, Ask } from '@floodgate/contracts';
import { Answers } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { Reservations } from './reservations.js';

/** The hot path's door: vectors of attempts from the gateways. */
@Controller()
export class ReserveController {
  constructor(private readonly reservations: Reservations) {}

  @Answers('reserve')
  async reserve(ask: Ask<'reserve'>): Promise<Answer<'reserve'>> {
    return { results: await this.reservations.decide(ask) };
  }
}
