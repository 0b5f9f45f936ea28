import { z } from 'zod';

/** Place of a page in the book: the last payment of the page before. */
interface Place {
  orderId: string;
  paymentId: string;
}

export const bookCursor = z.string().max(256).regex(/^[A-Za-z0-9_-]+$/);

export const encodeCursor = ({ orderId, paymentId }: Place): string => Buffer.from(`${orderId} ${paymentId}`).toString('base64url');

/** Without a cursor, and with one that was tampered with, the place before the page it names. */
export function decodeCursor(cursor: string | undefined): Place {
  const [orderId = '', paymentId = ''] = Buffer.from(cursor ?? '', 'base64url').toString().split(' ');
  return { orderId, paymentId };
}
