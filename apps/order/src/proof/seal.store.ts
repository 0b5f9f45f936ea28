import { Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { numbers, texts } from '../ledger/sql-array.js';
import { entryHash, genesisHash, type NumberedEntry } from './entry-hash.js';

/** An entry that is not sealed yet; `seq` is its place in the ledger of all sales. */
type OpenEntry = Omit<NumberedEntry, 'number'> & { seq: number };

/** Where a sale's chain ends. */
export interface ChainHead {
  /** Sealed entries; 0: none yet, and the hash is that before the first. */
  number: number;
  hash: string;
}

/** Entries of one transaction: it holds nobody up, but Postgres keeps no long snapshot for it. */
export const sealedAtOnceMax = 5_000;

/** The hash chain over the ledger of each sale. */
@Injectable()
export class SealStore {
  constructor(private readonly database: Database) {}

  /** Sales with entries that are not sealed, those with most of them first, and how many: from counters, not from the ledger. */
  async unsealed(limit: number): Promise<{ saleId: string; entries: number }[]> {
    return this.database.query<{ saleId: string; entries: number }>({
      name: 'seal-unsealed',
      text: `SELECT sale_id AS "saleId", sum(l.entries - coalesce(d.entries, 0))::float8 AS entries
        FROM (SELECT sale_id, lane, sum(entries) AS entries FROM lane_item GROUP BY sale_id, lane) AS l LEFT JOIN ledger_sealed d USING (sale_id, lane)
        WHERE l.entries > coalesce(d.entries, 0) GROUP BY sale_id ORDER BY entries DESC, sale_id LIMIT $1`,
      values: [limit],
    });
  }

  /** Seals the next entries of a sale, at most {@link sealedAtOnceMax}; returns how many. Several at once take turns. */
  async sealNext(saleId: string): Promise<number> {
    return this.database.transaction(async (tx) => {
      await this.lock(tx, saleId);
      return this.sealIn(tx, saleId);
    });
  }

  /** One sealer of a sale at a time, until the transaction ends. Writers of the ledger do not take this lock. */
  async lock(tx: Transaction, saleId: string): Promise<void> {
    await tx.query({ name: 'seal-lock', text: `SELECT pg_advisory_xact_lock(hashtextextended('seal ' || $1, 0))`, values: [saleId] });
  }

  /** As {@link sealNext}, in a transaction that has the lock; one whose snapshot is older than the lock fails as a serialization failure if it missed a seal. */
  async sealIn(tx: Transaction, saleId: string): Promise<number> {
    const entries = await this.open(tx, saleId);
    if (entries.length === 0) return 0;
    await this.move(tx, saleId, entries);
    let { number, hash } = await this.head(tx, saleId);
    const seals = entries.map((entry) => {
      hash = entryHash(hash, { ...entry, number: ++number });
      return { number, seq: entry.seq, hash };
    });
    await tx.query({
      name: 'seal-insert',
      text: 'INSERT INTO ledger_seal (sale_id, number, seq, hash) SELECT $1, * FROM unnest($2::int[], $3::bigint[], $4::text[])',
      values: [saleId, numbers(seals.map((s) => s.number)), numbers(seals.map((s) => s.seq)), texts(seals.map((s) => s.hash))],
    });
    return entries.length;
  }

  /** Where the chain ends as this transaction sees it. */
  async head(tx: Transaction, saleId: string): Promise<ChainHead> {
    const [last] = await tx.query<ChainHead>({
      name: 'seal-head', text: 'SELECT number, hash FROM ledger_seal WHERE sale_id = $1 ORDER BY number DESC LIMIT 1', values: [saleId],
    });
    return last ?? { number: 0, hash: genesisHash(saleId) };
  }

  /**
   * In the order of seq. Lanes commit independently, so an entry of one lane may come to light behind later ones of another: each lane goes on from its own mark,
   * and the entry gets a later number. Within a lane nothing is overtaken, and that is what every prefix of a lane's item hangs on.
   */
  private async open(tx: Transaction, saleId: string): Promise<OpenEntry[]> {
    return tx.query<OpenEntry>({
      name: 'seal-open',
      text: `WITH behind AS (
          SELECT l.lane, coalesce(d.seq, 0) AS seq FROM (SELECT lane, sum(entries) AS entries FROM lane_item WHERE sale_id = $1 GROUP BY lane) AS l
          LEFT JOIN ledger_sealed d ON d.sale_id = $1 AND d.lane = l.lane WHERE l.entries > coalesce(d.entries, 0))
        SELECT e.seq, e.lane, e.operation_id AS "operationId", e.item_id AS "itemId", e.entry, e.quantity, e.free_after AS "freeAfter", e.at
        FROM ledger e JOIN behind b ON b.lane = e.lane AND e.seq > b.seq
        WHERE e.sale_id = $1 AND e.seq > (SELECT min(seq) FROM behind) ORDER BY e.seq LIMIT $2`,
      values: [saleId, sealedAtOnceMax],
    });
  }

  private async move(tx: Transaction, saleId: string, entries: readonly OpenEntry[]): Promise<void> {
    const lanes = new Map<number, { entries: number; seq: number }>();
    for (const { lane, seq } of entries) lanes.set(lane, { entries: (lanes.get(lane)?.entries ?? 0) + 1, seq });
    await tx.query({
      name: 'seal-move',
      text: `INSERT INTO ledger_sealed (sale_id, lane, entries, seq) SELECT $1, * FROM unnest($2::int[], $3::int[], $4::bigint[])
        ON CONFLICT (sale_id, lane) DO UPDATE SET entries = ledger_sealed.entries + excluded.entries, seq = excluded.seq`,
      values: [saleId, numbers([...lanes.keys()]), numbers([...lanes.values()].map((l) => l.entries)), numbers([...lanes.values()].map((l) => l.seq))],
    });
  }
}
