/** The keys of one lane, all in one hash slot. Opaque outside this folder. */
export interface LaneKeys {
  /** Hash: epoch, selling, state, version, window, limits, the last number given, and which load counted it. */
  readonly sale: string;
  /** Hash: item → available, item|unsettled → units that may return, item|limit → units per account. */
  readonly stock: string;
  /** Hash: item → `version|units`: how many the lane has in all, as Postgres had it at that version. */
  readonly allotment: string;
  /** Hash: rid → record (lane.record.ts). */
  readonly resv: string;
  /** Hash: account and account|item → units held or paid. */
  readonly buyer: string;
  /** Hash: hash of an address → units held or paid. */
  readonly ip: string;
  /** Stream: rids of one vector, until their message is confirmed. Never trimmed: an entry is a promise to publish. */
  readonly relay: string;
  /** List: accounts in the order of their admission. */
  readonly admitted: string;
}

export function keysOf(saleId: string, lane: number): LaneKeys {
  const tag = `{${saleId}:${lane}}`;
  return {
    sale: `${tag}:sale`, stock: `${tag}:stock`, allotment: `${tag}:allotment`, resv: `${tag}:resv`, buyer: `${tag}:buyer`, ip: `${tag}:ip`,
    relay: `${tag}:relay`, admitted: `${tag}:admitted`,
  };
}
