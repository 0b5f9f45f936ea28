import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Readable } from 'node:stream';
import type { SaleView } from '@floodgate/contracts';
import type { RequestClient } from '@floodgate/platform';
import { Services } from '../problem/services.js';
import { bearer, startGateway } from '../testing/gateway.fixture.js';
import { callOperation, type Given } from '../testing/contract.js';
import { StandInClient } from '../testing/stand-in.client.js';
import { CodeImport } from './code-import.js';
import { readCodeLine } from './code-line.js';
import { LineSplitter } from './line-splitter.js';

const client = new StandInClient();
const gateway = await startGateway(client);
afterAll(() => gateway.close());

let pool: Set<string>;
beforeEach(() => {
  pool = new Set();
  client.asked.length = 0;
  client.on('import-codes', ({ codes }) => added(codes)).on('get-sale', () => ({ ok: true, value: sale() }));
});

function added(codes: readonly string[]): { added: number; duplicates: number } {
  const fresh = new Set(codes.filter((code) => !pool.has(code)));
  for (const code of fresh) pool.add(code);
  return { added: fresh.size, duplicates: codes.length - fresh.size };
}

const sale = (changes: Partial<SaleView> = {}): SaleView => ({
  id: 'Sale000001', merchantId: 'merchant', state: 'OPEN', items: [{ id: 'Sale000001-1', kind: 'voucher' }, { id: 'Sale000001-2', kind: 'goods' }], ...changes,
} as SaleView);

const send = (body: string | Buffer, changes: Partial<Given> = {}, type = 'text/csv') => callOperation(gateway.app, 'importCodes', {
  path: { id: 'Sale000001', itemId: 'Sale000001-1' }, body, ...changes, headers: { 'content-type': type, ...bearer('merchant', 'merchant'), ...changes.headers },
});

describe('an import of codes', () => {
  it('counts what became of each line, and says which were bad, by their line in the file', async () => {
    const lines = ['code', 'a', '', '"b"', 'a', 'x,y', '"open', 'c'.repeat(201), 'd\u0007', ' e ', ''];
    expect((await send(lines.join('\r\n'))).json).toEqual({
      received: 8, added: 3, duplicates: 1, invalid: 4, errors: [
        { line: 6, message: 'has more than one column' }, { line: 7, message: 'is not valid CSV' },
        { line: 8, message: 'is no code: 1 to 200 printable characters' }, { line: 9, message: 'is no code: 1 to 200 printable characters' },
      ],
    });
    expect([...pool]).toEqual(['a', 'b', 'e']);
  });

  it('takes NDJSON too, an object a line', async () => {
    const lines = ['{"code":"a"}', '{"code":1}', '{"code":"b","more":1}', 'null', '{"code":"b"', '["c"]', '{"code":"é"}'];
    const got = await send(lines.join('\n'), {}, 'application/x-ndjson');
    expect(got.json).toMatchObject({ received: 7, added: 2, invalid: 5 });
    expect(got.json.errors.map(({ line }: { line: number }) => line)).toEqual([2, 3, 4, 5, 6]);
  });

  it('never quotes a line, and stops listing faults at a hundred', async () => {
    const got = await send(['code', ...Array.from({ length: 150 }, (_, n) => `SECRET-${n},SECRET`)].join('\n'));
    expect(got.json).toMatchObject({ received: 150, invalid: 150 });
    expect(got.json.errors).toHaveLength(100);
    expect(got.text).not.toContain('SECRET');
  });

  it.each([['csv of another kind', 'name\na'], ['an empty file', ''], ['no header', 'a\nb']])('refuses %s', async (_, body) => {
    expect((await send(body)).json).toMatchObject({ status: 400, code: 'INVALID_REQUEST' });
    expect(client.count('import-codes')).toBe(0);
  });

  it.each([['application/json', '{"code":"a"}'], ['text/plain', 'code\na'], ['text/csv; charset=latin1', 'code\na'], ['', '']])('%s is 415', async (type, body) => {
    expect((await send(body, {}, type)).json).toMatchObject({ status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' });
  });

  it('of another merchant is 404, also to staff who may read it; and an item must be a voucher that may still be sold', async () => {
    client.on('get-sale', () => ({ ok: false, code: 'NOT_FOUND', detail: 'none' }));
    expect((await send('code\na')).status).toBe(404);
    client.on('get-sale', () => ({ ok: true, value: sale({ merchantId: 'another' }) }));
    expect((await send('code\na', { headers: bearer('merchant', 'merchant', 'operator') })).status).toBe(404);
    client.on('get-sale', () => ({ ok: true, value: sale() }));
    expect((await send('code\na', { path: { id: 'Sale000001', itemId: 'Sale000001-9' } })).status).toBe(404);
    expect((await send('code\na', { path: { id: 'Sale000001', itemId: 'Sale000001-2' } })).json.code).toBe('INVALID_REQUEST');
    for (const [state, status] of [['DRAFT', 200], ['ENDED', 200], ['WITHDRAWN', 400], ['REJECTED', 400]] as const) {
      client.on('get-sale', () => ({ ok: true, value: sale({ state }) }));
      expect([state, (await send('code\na')).status]).toEqual([state, status]);
    }
    expect(pool.size).toBe(1);
  });

  it('a stream type where JSON belongs is refused as before', async () => {
    const got = await callOperation(gateway.app, 'createReservation', { path: { saleId: 'x' }, body: 'code\na', headers: { 'content-type': 'text/csv', ...bearer('b', 'buyer') } });
    expect(got.json.code).toBe('UNSUPPORTED_MEDIA_TYPE');
  });
});

describe('a long import', () => {
  const target = { actor: { accountId: 'merchant', roles: ['merchant'] }, saleId: 's', itemId: 's-1' };
  const importing = (delaysMs = [1, 1]) => new CodeImport(new Services(client as unknown as RequestClient), target, 'text/csv', delaysMs);

  it('has two chunks of a thousand under way at most, and reads no further meanwhile', async () => {
    const waiting: (() => void)[] = [];
    client.on('import-codes', ({ codes }) => new Promise((resolve) => { waiting.push(() => resolve(added(codes))); }));
    let read = 0;
    async function* lines(): AsyncGenerator<Buffer> {
      yield Buffer.from('code\n');
      for (let n = 0; n < 10_000; n++, read++) yield Buffer.from(`code-${n}\n`);
    }
    const done = importing().run(lines());
    let most = 0;
    while (pool.size < 10_000) {
      await new Promise((resolve) => { setImmediate(resolve); });
      most = Math.max(most, waiting.length);
      if (most === 2) expect(read - pool.size).toBeLessThanOrEqual(3_000);
      if (waiting.length === 2 || read === 10_000) waiting.shift()?.();
    }
    expect(await done).toMatchObject({ ok: true, value: { received: 10_000, added: 10_000 } });
    expect(most).toBe(2);
  });

  it('sends a chunk that got no answer again, as the same chunk', async () => {
    client.fail('import-codes', 'TIMEOUT');
    expect(await importing().run(Readable.from([Buffer.from('code\na')]))).toMatchObject({ ok: false, code: 'UNAVAILABLE' });
    expect(new Set(client.bodies('import-codes').map(({ importId, chunk }) => `${importId} ${chunk}`)).size).toBe(1);
    expect(client.count('import-codes')).toBe(3);
  });
});

describe('a line', () => {
  it('is the same however the stream is cut, and one that never ends is not kept', () => {
    const text = Buffer.from('one\r\ntwo\n\nthree');
    for (let size = 1; size <= text.length; size++) {
      const lines = new LineSplitter(100);
      const all = [...Array.from({ length: Math.ceil(text.length / size) }, (_, n) => lines.push(text.subarray(n * size, (n + 1) * size))).flat(), ...lines.end()];
      expect(all.map(({ number, bytes }) => `${number}:${bytes?.toString()}`)).toEqual(['1:one', '2:two', '3:', '4:three']);
    }
    const endless = new LineSplitter(10);
    for (let n = 0; n < 1_000; n++) expect(endless.push(Buffer.from('xxxxxx'))).toEqual([]);
    expect([...endless.push(Buffer.from('\nok\n')), ...endless.end()]).toMatchObject([{ number: 1, bytes: null }, { number: 2 }]);
    expect(readCodeLine('text/csv', { number: 1, bytes: null })).toEqual({ fault: 'is longer than 4096 bytes' });
  });

  it('must be text', () => {
    expect(readCodeLine('text/csv', { number: 1, bytes: Buffer.from([0x61, 0xff]) })).toEqual({ fault: 'is not valid UTF-8' });
  });
});
