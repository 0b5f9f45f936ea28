import type { Answer, Ask } from '@floodgate/contracts';
import { Answers } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { CancelOrder } from './cancel-order.js';

@Controller()
export class CancelController {
  constructor(private readonly orders: CancelOrder) {}

  @Answers('cancel-order')
  cancel(ask: Ask<'cancel-order'>): Promise<Answer<'cancel-order'>> {
    return this.orders.cancel(ask);
  }
}
