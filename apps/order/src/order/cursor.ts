/** Cursors are opaque to callers: a position, packed. One that is not ours starts from the beginning of nothing: null. */
export function packCursor(parts: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** The parts of a cursor made by {@link packCursor} with as many parts, or null if it is not one. */
export function unpackCursor(cursor: string, length: number): (string | number)[] | null {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    const fits = Array.isArray(parts) && parts.length === length && parts.every(isPart);
    return fits ? parts : null;
  } catch {
    return null; // not JSON: somebody made it up
  }
}

/** Positions are made of ids and milliseconds; anything else could be a value that Postgres refuses. */
const isPart = (part: unknown): boolean => (typeof part === 'string' ? /^[A-Za-z0-9._~-]{0,64}$/.test(part) : Number.isSafeInteger(part) && (part as number) >= 0 && (part as number) <= 8.64e15);
