import type { Reservation } from '@floodgate/contracts';
import { Consume, crashPoint, Database, InfrastructureError, SplitError, type DeliveryOf } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { SaleMissingError } from '../sale/sale.store.js';
import { PurchaseSaga } from './purchase.saga.js';

/** Reservations of one transaction: large enough that its fixed costs vanish, small enough that the lane's lock is held for moments. */
const reservationsMax = 1_000;

interface Group {
  saleId: string;
  lane: number;
  reservations: Reservation[];
}

/** Where reservations become orders. Acknowledged after the commit; what comes twice finds its row. */
@Controller()
export class PlaceOrderConsumer {
  constructor(private readonly database: Database, private readonly saga: PurchaseSaga) {}

  @Consume('order.place-order', { batch: { sizeMax: 64, waitMs: 5 } })
  async place(messages: DeliveryOf<'order.place-order'>[]): Promise<void> {
    try {
      for (const { saleId, lane, reservations } of groups(messages)) {
        await this.database.transaction(async (tx) => {
          await this.saga.place(tx, saleId, lane, reservations);
          crashPoint('place.before-commit');
        });
        crashPoint('place.after-commit');
      }
    } catch (error) {
      throw this.split(messages, error) ?? error;
    }
  }

  /** One reservation that cannot be processed must not hold up the others of its message. A missing sale or server concerns them all alike. */
  private split(messages: DeliveryOf<'order.place-order'>[], error: unknown): SplitError | null {
    const { body } = messages[0]!;
    if (messages.length > 1 || body.reservations.length === 1) return null;
    if (error instanceof SaleMissingError || error instanceof InfrastructureError) return null;
    return new SplitError(body.reservations.map((reservation) => ({ ...body, reservations: [reservation] })));
  }
}

/** One transaction each: of one lane, in the order the messages came. */
function groups(messages: DeliveryOf<'order.place-order'>[]): Group[] {
  const open = new Map<string, Group>();
  const all: Group[] = [];
  for (const { body: { saleId, lane, reservations } } of messages) {
    const key = `${saleId}/${lane}`;
    let group = open.get(key);
    if (!group || group.reservations.length + reservations.length > reservationsMax) {
      group = { saleId, lane, reservations: [] };
      open.set(key, group);
      all.push(group);
    }
    group.reservations.push(...reservations);
  }
  return all;
}
