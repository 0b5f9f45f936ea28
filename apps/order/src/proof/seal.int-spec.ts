import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { errorText, sqlState, type Transaction } from '@floodgate/platform';
import { eventually } from '@floodgate/platform/testing';
import { lockStock } from '../ledger/lane-stock.js';
import { PurchaseFixture } from '../support/purchase.fixture.js';
import { SealStore } from './seal.store.js';

let at: PurchaseFixture;
let seals: SealStore;
beforeAll(async () => {
  at = await PurchaseFixture.start();
  seals = new SealStore(at.database);
});
afterAll(() => at.drop());

interface Sealed {
  number: number;
  seq: number;
  hash: string;
  entry: string;
  lane: number;
  line: string;
}

/** The chain of a sale, in its order; `line` is the canonical form, made here once more. */
const chain = (sale: string) => at.database.query<Sealed>(
  `SELECT s.number, s.seq, s.hash, e.entry, e.lane, format('[%s,%s,"%s","%s","%s",%s,%s,"%s"]', s.number, e.lane, e.operation_id, e.item_id, e.entry, e.quantity, e.free_after,
     to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) AS line
   FROM ledger_seal s JOIN ledger e USING (sale_id, seq) WHERE s.sale_id = $1 ORDER BY s.number`, [sale]);
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** What the hashes of a chain must be, from first principles. */
function hashes(sale: string, sealed: readonly Sealed[]): string[] {
  let hash = sha256(`floodgate ledger 1 ${sale}`);
  return sealed.map(({ line }) => hash = sha256(`${hash}\n${line}`));
}

/** One more unit in a lane. */
async function stock(tx: Transaction, sale: string, lane: number): Promise<void> {
  const locked = await lockStock(tx, sale, new Map([[lane, [`${sale}-1`]]]));
  await at.ledger.record(tx, locked, [{ lane, operationId: `more:${lane}`, itemId: `${sale}-1`, entry: 'STOCK_IN', quantity: 1 }], Date.now());
}

const refusal = (statement: string) => at.database.query(statement).then(() => 'accepted', (error: unknown) => sqlState(error));
const unsealed = async (sale: string) => (await seals.unsealed(1_000)).find(({ saleId }) => saleId === sale)?.entries ?? 0;

describe('the chain of a sale', () => {
  it('goes on where it ended, each hash over the one before and the entry', async () => {
    const sale = await at.sale({ items: [{ quota: 3 }] });
    const [a, b] = [at.reservation(sale), at.reservation(sale, { quantity: 2 })];
    await at.place(sale, [a, b]);
    expect([await unsealed(sale), await seals.sealNext(sale), await seals.sealNext(sale), await unsealed(sale)]).toEqual([3, 3, 0, 0]);
    await at.pay(sale, b.rid);
    await at.close(sale, [a.rid]);
    expect([await unsealed(sale), await seals.sealNext(sale)]).toEqual([2, 2]);
    const sealed = await chain(sale);
    expect(sealed.map(({ number, entry }) => `${number} ${entry}`)).toEqual(['1 STOCK_IN', '2 HOLD', '3 HOLD', '4 SELL', '5 RELEASE']);
    expect(sealed.map(({ hash }) => hash)).toEqual(hashes(sale, sealed));
    expect(await at.tx((tx) => seals.head(tx, sale))).toEqual({ number: 5, hash: sealed.at(-1)!.hash });
  });

  it('is written once, however many write it', async () => {
    const sale = await at.sale({ items: [{ quota: 50 }] });
    for (let round = 0; round < 4; round++) await at.place(sale, [at.reservation(sale), at.reservation(sale)]);
    const done = await Promise.all(Array.from({ length: 6 }, () => seals.sealNext(sale).catch(errorText)));
    expect(done.map(String).toSorted()).toEqual(['0', '0', '0', '0', '0', '9']);
    const sealed = await chain(sale);
    expect(sealed.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(sealed.map(({ hash }) => hash)).toEqual(hashes(sale, sealed));
  });

  it('waits for whoever writes it already', async () => {
    const sale = await at.sale();
    let other: Promise<number> | undefined;
    const first = await at.tx(async (tx) => {
      await seals.lock(tx, sale);
      other = seals.sealNext(sale);
      await eventually(async () => expect(await at.database.query(
        `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)).toHaveLength(1), 20_000);
      return seals.sealIn(tx, sale);
    });
    expect([first, await other]).toEqual([1, 0]);
  });

  it('takes in an entry of a lane that commits behind a later one of another lane', async () => {
    const sale = await at.sale({ items: [{ quota: 10 }], lanes: 2 });
    await seals.sealNext(sale);
    let late = 0;
    await at.tx(async (tx) => {
      await stock(tx, sale, 0);
      await at.tx((other) => stock(other, sale, 1)); // begun later, and committed first
      late = await seals.sealNext(sale);
    });
    expect([late, await unsealed(sale), await seals.sealNext(sale), await unsealed(sale)]).toEqual([1, 1, 1, 0]);
    const sealed = await chain(sale);
    expect(sealed.slice(2).map(({ number, lane, entry }) => ({ number, lane, entry }))).toEqual([{ number: 3, lane: 1, entry: 'STOCK_IN' }, { number: 4, lane: 0, entry: 'STOCK_IN' }]);
    expect(sealed[3]!.seq).toBeLessThan(sealed[2]!.seq);
    expect(sealed.map(({ hash }) => hash)).toEqual(hashes(sale, sealed));
  });

  it('leaves out what was rolled back', async () => {
    const sale = await at.sale();
    await expect(at.tx(async (tx) => {
      await at.saga.place(tx, sale, 0, [at.reservation(sale)]);
      throw new Error('never mind');
    })).rejects.toThrow('never mind');
    await at.place(sale, [at.reservation(sale)]);
    expect([await unsealed(sale), await seals.sealNext(sale), await unsealed(sale)]).toEqual([2, 2, 0]);
  });

  it.each([`UPDATE ledger_seal SET hash = repeat('0', 64)`, 'DELETE FROM ledger_seal', 'TRUNCATE ledger_seal'])('is append-only: %s', async (statement) => {
    expect(await refusal(statement)).toBe('FG010');
  });

  it('and the ledger belong to nobody who may change them', async () => {
    const granted = await at.database.query(
      `SELECT table_name, privilege_type FROM information_schema.role_table_grants
       WHERE table_schema = 'orders' AND table_name IN ('ledger', 'ledger_seal') AND privilege_type IN ('UPDATE', 'DELETE', 'TRUNCATE')`);
    expect(granted).toEqual([]);
  });
});
