import { type Answer, type Ask } from '@floodgate/contracts';
import { Answers, Consume, Database, type DeliveryOf } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { ChangeStock } from './change-stock.js';
import { StockBooking } from './stock.booking.js';

/** Changes of a sale's stock: as operators ask for them, and as Redis has carried them out. */
@Controller()
export class StockChangeController {
  constructor(private readonly changeStock: ChangeStock, private readonly booking: StockBooking, private readonly database: Database) {}

  @Answers('change-stock')
  change(ask: Ask<'change-stock'>): Promise<Answer<'change-stock'>> {
    return this.changeStock.change(ask);
  }

  /** Usually booked already, by whoever asked for it; where that process died, this is who finishes it. */
  @Consume('order.book-take-back')
  async book([message]: DeliveryOf<'order.book-take-back'>[]): Promise<void> {
    const { saleId, lane, takeBacks } = message!.body;
    for (const takeBack of takeBacks) await this.database.transaction((tx) => this.booking.takeBack(tx, saleId, lane, takeBack));
  }
}
