import { createHmac, hash } from 'node:crypto';

/** One item of a request, reservation or order. `quantity` counts units, 1 to 100. */
export interface ItemQuantity {
  itemId: string;
  quantity: number;
}

/**
 * The id of a reservation, known before anybody answers: the sale's id, a dot, and 128 bits of an HMAC over account
 * and idempotency key. A retry after the total loss of Redis therefore meets the same Postgres row.
 * @param secretHex the sale's `ridSecret`, hex
 */
export function reservationId(saleId: string, secretHex: string, accountId: string, idempotencyKey: string): string {
  const digest = createHmac('sha256', Buffer.from(secretHex, 'hex')).update(`${accountId}\n${idempotencyKey}`).digest();
  return `${saleId}.${digest.subarray(0, 16).toString('base64url')}`;
}

/**
 * The id of the reservation that late money shall buy again in the place of `rid`: always the same one, so that trying twice takes no second
 * unit. No buyer can name it: a key of theirs has no line break.
 */
export function reacquiredId(saleId: string, secretHex: string, accountId: string, rid: string): string {
  return reservationId(saleId, secretHex, accountId, `\nreacquire\n${rid}`);
}

/** The sale that a reservation (or order) id names, or null if it cannot be such an id. */
export function saleOfReservation(rid: string): string | null {
  return /^([A-Za-z0-9]{1,16})\.[A-Za-z0-9_-]{22}$/.exec(rid)?.[1] ?? null;
}

/**
 * Who holds the units that an operator is taking back, where a reservation names its buyer. No account can be called this:
 * ids of accounts have no such character.
 */
export const stockAccount = '@stock';

/** Items are numbered within their sale, from 1. */
export const itemId = (saleId: string, number: number): string => `${saleId}-${number}`;

/** The lane that a buyer always has in a sale. */
export const laneOf = (accountId: string, lanes: number): number => (lanes === 1 ? 0 : hash32(accountId) % lanes);

/**
 * The items sorted by id, as `id:quantity` joined by commas: the fingerprint of a reservation's body, and the form in which
 * the reserve script takes them.
 */
export function packItems(items: readonly ItemQuantity[]): string {
  return items.map((item) => `${item.itemId}:${item.quantity}`).sort().join(',');
}

/** The reverse of {@link packItems}. */
export function unpackItems(packed: string): ItemQuantity[] {
  return packed.split(',').map((pair) => {
    const at = pair.lastIndexOf(':');
    return { itemId: pair.slice(0, at), quantity: Number(pair.slice(at + 1)) };
  });
}

/** FNV-1a, 32 bits, unsigned: small enough to broadcast every admitted account; a collision only costs one early refusal. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/**
 * What is kept of an account in a sale's audience: 53 bits of a hash keyed with the sale's `ridSecret`, as a safe integer. Millions of them
 * fit into a gateway at eight bytes each, and a stranger meets one of a million by chance once in nine thousand million tries.
 */
export function audienceHash(secretHex: string, accountId: string): number {
  const digest = hash('sha256', `${secretHex}\naudience\n${accountId}`, 'buffer');
  return (digest.readUInt32BE(0) & 0x1fffff) * 0x1_0000_0000 + digest.readUInt32BE(4);
}

/** Hashes as eight bytes each, base64: a page of them is a tenth of what it would be as JSON. */
export const packHashes = (hashes: readonly number[]): string => Buffer.from(Float64Array.from(hashes).buffer).toString('base64');

/** The reverse of {@link packHashes}. */
export function unpackHashes(packed: string): Float64Array {
  const bytes = Buffer.from(packed, 'base64');
  return new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length - (bytes.length % 8)));
}
