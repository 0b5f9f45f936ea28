import { stockAccount, type Reservation, type TakeBack } from '@floodgate/contracts';
import type { Publisher } from '@floodgate/platform';

interface OfLane {
  saleId: string;
  lane: number;
}

/**
 * Has the broker keep what the reserve script took: buyers' reservations to be judged, and units taken out of sale to be booked.
 * Resolves when all of it is confirmed; at most 256 reservations.
 * @throws PublishError
 */
export async function publishReservations(
  publisher: Publisher, { saleId, lane }: OfLane, epoch: number, taken: readonly Reservation[], options: { timeoutMs?: number } = {},
): Promise<void> {
  const reservations = taken.filter(({ accountId }) => accountId !== stockAccount);
  if (reservations.length > 0) await publisher.publish('place-order', { saleId, lane, epoch, reservations }, options);
  if (reservations.length === taken.length) return;
  const takeBacks = taken.filter(({ accountId }) => accountId === stockAccount).map(takeBackOf);
  await publisher.publish('book-take-back', { saleId, lane, epoch, takeBacks }, options);
}

/** An operator's act concerns one item. */
function takeBackOf({ rid, items: [item], number, reservedAtMs }: Reservation): TakeBack {
  if (!item) throw new Error(`${rid} takes nothing back`);
  return { rid, itemId: item.itemId, quantity: item.quantity, number, reservedAtMs };
}
