import { idSchema, reservationSchema, saleOfReservation, type MessageName, type Reservation } from '@floodgate/contracts';
import { z } from 'zod';

/** What a dead letter can still be made to say. */
export interface Affected {
  reservationIds: string[];
  /** Reservations whose order the message would have made, of one lane; null for any other message and for what names no lane. */
  placing: { saleId: string; lane: number; reservations: Reservation[] } | null;
}

/** Where a message of each kind keeps its reservations. */
const rowsOf: Partial<Record<string, string>> = {
  'place-order': 'reservations', 'book-take-back': 'takeBacks', 'sync-stock': 'rows', 'order.created': 'orders', 'order.paid': 'orders', 'order.fulfilled': 'orders',
  'order.replaced': 'orders', 'payment.returned': 'orders', 'order.closed': 'orders',
} satisfies Partial<Record<MessageName, string>>;
const laneSchema = z.object({ saleId: idSchema, lane: z.int().min(0) });
const namedSchema = z.object({ rid: idSchema });

/** Never throws: a message is a dead letter because something is wrong with it, so each reservation is read for itself. */
export function affectedOrders(name: string, body: Buffer): Affected {
  const content = parseJson(body);
  const rows = listIn(content, rowsOf[name]);
  const reservationIds = [...new Set(rows.flatMap((row) => namedSchema.safeParse(row).data?.rid ?? []))];
  const lane = laneSchema.safeParse(content).data;
  if (name !== 'place-order' || !lane) return { reservationIds, placing: null };
  // A reservation of another sale than the message's can only be a forgery or a bug: it gets no units of this one.
  const reservations = rows.flatMap((row) => reservationSchema.safeParse(row).data ?? []).filter((one) => saleOfReservation(one.rid) === lane.saleId);
  return { reservationIds, placing: { ...lane, reservations } };
}

/** The body for people: its JSON, else its text. */
export function readableBody(body: Buffer): unknown {
  const content = parseJson(body);
  return content === undefined ? body.toString('utf8') : content;
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined; // Being no JSON may be why it is here.
  }
}

function listIn(content: unknown, key: string | undefined): unknown[] {
  if (key === undefined || typeof content !== 'object' || content === null) return [];
  const list = (content as Record<string, unknown>)[key];
  return Array.isArray(list) ? list : [];
}
