/** Cursors are opaque to callers: a position, packed. One that is not ours starts from the beginning of nothing: null. */
export function packCursor(parts: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** The parts of a cursor made by {@link packCursor} with as many parts, or null if it is not one. */
export function unpackCursor(cursor: string, length: number): (string | number)[] | null {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    const fits = Array.isArray(parts) && parts.length === length && parts.every((part) => typeof part === 'string' || typeof part === 'number');
    return fits ? parts : null;
  } catch {
    return null; // not JSON: somebody made it up
  }
}
