import { unpackItems, type RedisRow } from '@floodgate/contracts';

/** A reservation as Redis has it, and the relay entry that names it ('' for one that came from Postgres). */
export interface LaneRecord extends RedisRow {
  relayId: string;
}

/**
 * Reads what the scripts write as one field per reservation:
 * `version|holds|settled|number|reservedAtMs|load|relayId|accountId|ipHash|items`. Ids cannot contain the bar.
 */
export function readRecord(rid: string, record: string): LaneRecord {
  const [version, holds, settled, number, reservedAtMs, , relayId, accountId, ipHash, items] = record.split('|');
  if (items === undefined) throw new Error(`the record of ${rid} is broken: ${record}`);
  return {
    rid,
    version: Number(version),
    holds: holds === '1',
    settled: settled === '1',
    number: Number(number),
    reservedAtMs: Number(reservedAtMs),
    relayId: relayId as string,
    accountId: accountId as string,
    ipHash: ipHash as string,
    items: unpackItems(items),
  };
}
