import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PurchaseFixture } from '../support/purchase.fixture.js';
import { numbers, texts } from './sql-array.js';

let at: PurchaseFixture;
beforeAll(async () => {
  at = await PurchaseFixture.start();
});
afterAll(() => at.drop());

it('brings every string, null and number to Postgres as it was', async () => {
  // Postgres has no NUL in text, nor half of a surrogate pair.
  const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('', 'NULL', 'null', '{}', ',', '"', '\\', ' a ', '\n', '["a\\"b"]')).filter((value) => !value.includes('\0'));
  const pairs = fc.array(fc.tuple(fc.option(text), fc.maxSafeInteger()), { maxLength: 30 });
  await fc.assert(fc.asyncProperty(pairs, async (rows) => {
    const found = await at.database.query<{ text: string | null; number: number }>('SELECT * FROM unnest($1::text[], $2::bigint[]) AS r (text, number)', [
      texts(rows.map(([value]) => value)), numbers(rows.map(([, value]) => value))]);
    expect(found.map((row) => [row.text, row.number])).toEqual(rows);
  }), { numRuns: 100 });
});
