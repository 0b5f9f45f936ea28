import type { Reservation } from '@floodgate/contracts';
import type { LaneRecord } from '../stock/lane.record.js';

/** The part of a record that the order service is told. */
export function reservationOf({ rid, accountId, ipHash, items, number, reservedAtMs }: LaneRecord): Reservation {
  return { rid, accountId, ipHash, items, number, reservedAtMs };
}
