import type { SaleDocument } from '@floodgate/contracts';

/** A sale stays in the public list for a day after its end. */
const listedAfterEndMs = 86_400_000;

/** One page of the public list, by opening time. @param after the cursor of the page before; @returns null for a cursor nobody issued */
export function pageOf(documents: Iterable<SaleDocument>, nowMs: number, limit: number, after: string | null): { sales: SaleDocument[]; nextCursor: string | null } | null {
  const from = after === null ? null : readCursor(after);
  if (after !== null && from === null) return null;
  const listed = [...documents].filter(({ closesAtMs }) => closesAtMs > nowMs - listedAfterEndMs).sort(compare);
  const rest = from ? listed.filter((document) => compare(document, from) > 0) : listed;
  const sales = rest.slice(0, limit);
  const last = sales.at(-1);
  return { sales, nextCursor: last && rest.length > limit ? writeCursor(last) : null };
}

type Place = Pick<SaleDocument, 'opensAtMs' | 'saleId'>;

const compare = (a: Place, b: Place): number => a.opensAtMs - b.opensAtMs || (a.saleId < b.saleId ? -1 : Number(a.saleId !== b.saleId));
const writeCursor = ({ opensAtMs, saleId }: Place): string => Buffer.from(`${opensAtMs}:${saleId}`).toString('base64url');

function readCursor(cursor: string): Place | null {
  const [, opensAtMs, saleId] = /^(\d{1,15}):([A-Za-z0-9._~-]{1,64})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? [];
  return opensAtMs === undefined || saleId === undefined ? null : { opensAtMs: Number(opensAtMs), saleId };
}
