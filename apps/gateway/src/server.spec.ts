import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { callOperation, expectContract, type Given, type Got } from './testing/contract.js';
import { aLane, aSale, bearer, startGateway, testConfig, type Gateway } from './testing/gateway.fixture.js';
import { StandInClient } from './testing/stand-in.client.js';

let gateway: Gateway;
let client: StandInClient;
const sale = aSale();

beforeAll(async () => {
  client = new StandInClient();
  gateway = await startGateway(client);
  gateway.catalogue.approved(sale);
  gateway.board.applyWhole({ atMs: Date.now(), lanes: [aLane(sale)] }, gateway.board.gapCount);
});
afterAll(() => gateway.close());

const item = { itemId: `${sale.saleId}-1`, quantity: 1 };
const reserve = (given: Given): Promise<Got> => callOperation(gateway.app, 'createReservation', {
  path: { saleId: sale.saleId }, ...given, headers: { ...bearer('buyer-1', 'buyer'), 'idempotency-key': 'key-1', ...given.headers },
});
const withItem = (changes: object): object => ({ entryToken: 'x', items: [{ ...item, ...changes }] });
const faultsOf = (got: Got): string[] => [got.json.code, ...(got.json.errors ?? []).map(({ path }: { path: string }) => path)];

describe('a body', () => {
  it.each<[string, unknown, string[]]>([
    ['cut off', '{"a":', ['']],
    ['empty', '', ['']],
    ['null', 'null', ['']],
    ['a list', '[]', ['']],
    ['text', '"x"', ['']],
    ['a number', '1', ['']],
    ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), ['']],
    ['nested ten thousand deep', `${'['.repeat(10_000)}${']'.repeat(10_000)}`, ['']],
    ['without anything', {}, ['/entryToken', '/items']],
    ['with a field nobody knows', { ...withItem({}), price: 1 }, ['/price']],
    ['with a prototype', `{"entryToken":"x","items":[${JSON.stringify(item)}],"__proto__":{"a":1}}`, ['/__proto__']],
    ['with a constructor', `{"entryToken":"x","items":[${JSON.stringify(item)}],"constructor":{"prototype":{}}}`, ['/constructor', '/constructor/prototype']],
    ['with a hidden prototype', `{"entryToken":"x","items":[${JSON.stringify(item)}],"\\u005f_proto__":{"a":1}}`, ['/__proto__']],
    ['with a null character', `{"entryToken":"a\\u0000b","items":[${JSON.stringify(item)}]}`, ['/entryToken']],
    ['with half a character', `{"entryToken":"\\ud800","items":[${JSON.stringify(item)}]}`, ['/entryToken']],
    ['with no items', { entryToken: 'x', items: [] }, ['/items']],
    ['with 21 items', { entryToken: 'x', items: Array.from({ length: 21 }, (_, n) => ({ itemId: `i${n}`, quantity: 1 })) }, ['/items']],
    ['with an item twice', { entryToken: 'x', items: [item, { itemId: 'other', quantity: 1 }, item] }, ['/items/2/itemId']],
    ['with an item of another shape', { entryToken: 'x', items: [{ ...item, userId: 'me' }] }, ['/items/0/userId']],
    ['with an item that is null', { entryToken: 'x', items: [null] }, ['/items/0']],
    ['with an item id that is a command', withItem({ itemId: 'x\r\nFLUSHALL' }), ['/items/0/itemId']],
    ['with an item id that is a pattern', withItem({ itemId: 'a}b{c*' }), ['/items/0/itemId']],
    ['with an item id that is an object', withItem({ itemId: { $gt: '' } }), ['/items/0/itemId']],
    ['with an item id of 65 characters', withItem({ itemId: 'i'.repeat(65) }), ['/items/0/itemId']],
    ['with an empty entry token', { entryToken: '', items: [item] }, ['/entryToken']],
    ['with everything wrong', { entryToken: 7, items: [{ itemId: '', quantity: 0, x: 1 }, { quantity: '1' }], y: 2 }, ['/y', '/entryToken', '/items/0/x', '/items/0/itemId', '/items/0/quantity', '/items/1/itemId', '/items/1/quantity']],
  ])('%s is refused, all faults at once', async (_, body, paths) => {
    const got = await reserve({ body });
    expect(got.status).toBe(400);
    const [code, ...found] = faultsOf(got);
    expect([code, ...found.toSorted((a, b) => (a < b ? -1 : 1))]).toEqual(['INVALID_REQUEST', ...paths.toSorted((a, b) => (a < b ? -1 : 1))]);
    expect(client.count('reserve')).toBe(0);
  });

  it.each(['0', '-1', '-5', '0.5', '1.5', '101', '2147483648', '9007199254740993', '1e30', '1e400', '"1"', 'true', 'null', '[1]', '{}', '"１"'])('with quantity %s is refused', async (quantity) => {
    const got = await reserve({ body: `{"entryToken":"x","items":[{"itemId":"${item.itemId}","quantity":${quantity}}]}` });
    expect(faultsOf(got)).toEqual(['INVALID_REQUEST', '/items/0/quantity']);
    expect(got.json.errors[0].message).toBe('must be an integer from 1 to 100');
  });

  it.each(['01', '+1', '0x1', 'NaN', 'Infinity', '.5', '1.'])('with quantity %s is no JSON', async (quantity) => {
    expect(faultsOf(await reserve({ body: `{"entryToken":"x","items":[{"itemId":"a","quantity":${quantity}}]}` }))).toEqual(['INVALID_REQUEST', '']);
  });

  it('missing altogether is refused with the faults of the headers', async () => {
    expect(faultsOf(await reserve({ headers: { 'idempotency-key': 'x'.repeat(65) } }))).toEqual(['INVALID_REQUEST', '/headers/idempotency-key', '']);
  });

  it.each(['text/plain', 'application/xml', 'application/json; charset=utf-7', 'application/json; charset=utf-16', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonx'])('of type %s is refused', async (type) => {
    const got = await reserve({ body: JSON.stringify(withItem({})), headers: { 'content-type': type } });
    expect([got.status, got.json.code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
  });

  it('that is compressed is refused', async () => {
    const got = await reserve({ body: JSON.stringify(withItem({})), headers: { 'content-encoding': 'gzip' } });
    expect([got.status, got.json.code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
  });

  it.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"'])('of type %s is read', async (type) => {
    expect((await reserve({ body: '{}', headers: { 'content-type': type } })).status).toBe(400);
  });

  it('may have 64 KiB, and a sale 2 MiB', async () => {
    const filled = (bytes: number) => JSON.stringify({ x: 'x'.repeat(bytes - 8) });
    expect((await reserve({ body: filled(65_536) })).status).toBe(400);
    expect((await reserve({ body: filled(65_537) })).json.code).toBe('PAYLOAD_TOO_LARGE');
    const create = (body: string) => callOperation(gateway.app, 'createSale', { headers: bearer('m', 'merchant'), body });
    expect((await create(filled(2_097_152))).status).toBe(400);
    expect((await create(filled(2_097_153))).status).toBe(413);
  });

  it('is not expected everywhere', async () => {
    const submit = (given: Given) => callOperation(gateway.app, 'submitSale', { path: { id: 'x' }, ...given, headers: { ...bearer('m', 'merchant'), ...given.headers } });
    for (const given of [{}, { body: '' }, { body: '{}' }, { body: '', headers: { 'content-type': 'application/x-www-form-urlencoded' } }]) {
      expect((await submit(given)).json.code).toBe('UNAVAILABLE');
    }
    expect(faultsOf(await submit({ body: { approve: true } }))).toEqual(['INVALID_REQUEST', '']);
  });

  it('with several currencies is no sale', async () => {
    const price = (currency: string) => ({ amount: 1, currency });
    const items = [{ skuId: 'a', title: 'a', kind: 'goods', price: price('GBP'), listPrice: price('EUR'), quota: 1 }, { skuId: 'b', title: 'b', kind: 'goods', price: price('USD'), quota: 1 }];
    const got = await callOperation(gateway.app, 'updateSale', { path: { id: 'x' }, headers: bearer('m', 'merchant'), body: { items } });
    expect(faultsOf(got)).toEqual(['INVALID_REQUEST', '/items/0/listPrice/currency', '/items/1/price/currency']);
  });

  it('of a sale names what is wrong inside an audience', async () => {
    const got = await callOperation(gateway.app, 'updateSale', { path: { id: 'x' }, headers: bearer('m', 'merchant'), body: { audience: { accounts: 'all' } } });
    expect(faultsOf(got)).toEqual(['INVALID_REQUEST', '/audience/accounts']);
  });
});

describe('a header', () => {
  it.each<[string, Record<string, string>]>([
    ['empty', { 'idempotency-key': '' }], ['of 65 characters', { 'idempotency-key': 'k'.repeat(65) }],
    ['with a tab', { 'idempotency-key': 'a\tb' }], ['outside ASCII', { 'idempotency-key': 'schlüssel' }],
  ])('Idempotency-Key that is %s is refused', async (_, headers) => {
    expect(faultsOf(await reserve({ body: withItem({}), headers }))).toEqual(['INVALID_REQUEST', '/headers/idempotency-key']);
  });

  it('Idempotency-Key that is missing or given twice is refused', async () => {
    const post = { method: 'POST' as const, url: `/v1/sales/${sale.saleId}/reservations`, payload: withItem({}) };
    const missing = await gateway.app.inject({ ...post, headers: bearer('buyer-1', 'buyer') });
    expect(missing.json().errors).toEqual([{ path: '/headers/idempotency-key', message: 'is missing' }]);
    const twice = await gateway.app.inject({ ...post, headers: { ...bearer('buyer-1', 'buyer'), 'idempotency-key': ['a', 'b'] as never } });
    expect(twice.json().errors).toEqual([{ path: '/headers/idempotency-key', message: 'must be given once' }]);
  });

  it('x-request-id is kept if it is sane, and replaced if not', async () => {
    const idOf = async (id: string) => (await callOperation(gateway.app, 'getLiveness', { headers: { 'x-request-id': id } })).headers['x-request-id'];
    expect(await idOf('req-7c1e09')).toBe('req-7c1e09');
    for (const id of ['', 'a b', 'x'.repeat(65), 'a\u00e4', '<script>']) expect(await idOf(id)).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('X-HTTP-Method-Override does nothing', async () => {
    expect((await gateway.app.inject({ method: 'GET', url: '/livez', headers: { 'x-http-method-override': 'DELETE' } })).statusCode).toBe(200);
  });
});

describe('a path', () => {
  it.each<[string, string, number, string]>([
    ['GET', '/', 404, 'NOT_FOUND'], ['GET', '/v1', 404, 'NOT_FOUND'], ['GET', '/V1/TIME', 404, 'NOT_FOUND'], ['GET', '//v1/time', 404, 'NOT_FOUND'], ['GET', '/v1/time/', 404, 'NOT_FOUND'],
    ['GET', '/v1%2ftime', 404, 'NOT_FOUND'], ['GET', '/v1/admin/nothing', 404, 'NOT_FOUND'], ['GET', '/metrics', 404, 'NOT_FOUND'],
    ['GET', `/v1/sales/${'x'.repeat(400)}`, 400, 'INVALID_REQUEST'], ['GET', '/v1/sales/%zz', 400, 'INVALID_REQUEST'], ['GET', '/v1/sales/a%20b', 400, 'INVALID_REQUEST'], ['GET', '/v1/sales/a%00b', 400, 'INVALID_REQUEST'], ['GET', `/v1/sales/${'x'.repeat(65)}`, 400, 'INVALID_REQUEST'],
    ['DELETE', '/v1/time', 405, 'METHOD_NOT_ALLOWED'], ['TRACE', '/livez', 405, 'METHOD_NOT_ALLOWED'], ['HEAD', '/livez', 405, 'METHOD_NOT_ALLOWED'], ['OPTIONS', '/v1/sales', 405, 'METHOD_NOT_ALLOWED'],
    ['PUT', '/v1/sales/x/reservations', 405, 'METHOD_NOT_ALLOWED'], ['GET', '/v1/sales/x/reservations?a=b', 405, 'METHOD_NOT_ALLOWED'],
  ])('%s %s is %i %s', async (method, url, status, code) => {
    const response = await gateway.app.inject({ method: method as 'GET', url });
    expect([response.statusCode, response.headers['x-request-id']]).toEqual([status, expect.any(String)]);
    if (method !== 'HEAD') expect([response.json().code, response.headers['content-type']]).toEqual([code, 'application/problem+json']);
    if (status === 405) expect(response.headers.allow).toMatch(/^(GET|POST)$/);
  });

  it('with two methods allows both', async () => {
    expect((await gateway.app.inject({ method: 'DELETE', url: '/v1/admin/sales/x' })).headers.allow).toBe('GET, PATCH');
  });
});

describe('a query', () => {
  it.each(['limit=0', 'limit=-1', 'limit=101', 'limit=1e9', 'limit=abc', 'limit=1.5', 'limit=%201', 'limit=', 'limit=1&limit=2', 'limit=1'])('%s', async (query) => {
    const got = await callOperation(gateway.app, 'listMyOrders', { headers: bearer('buyer-1', 'buyer'), query: `?${query}` });
    expect(got.json.code).toBe(query === 'limit=1' ? 'UNAVAILABLE' : 'INVALID_REQUEST');
  });

  it('is read as the document types it', async () => {
    client.on('list-reservations', () => ({ ok: true, value: { items: [], nextCursor: null } }));
    await callOperation(gateway.app, 'listMyReservations', { headers: bearer('buyer-1', 'buyer'), query: '?limit=7&cursor=abc&saleId=Sale000001&utm=x' });
    await callOperation(gateway.app, 'listMyReservations', { headers: bearer('buyer-1', 'buyer') });
    expect(client.bodies('list-reservations')).toEqual([
      { accountId: 'buyer-1', saleId: 'Sale000001', limit: 7, cursor: 'abc' }, { accountId: 'buyer-1', saleId: null, limit: 20, cursor: null },
    ]);
  });

  it('with a cursor nobody issued is refused', async () => {
    for (const query of ['?cursor=%00', '?cursor=!!']) {
      const got = await callOperation(gateway.app, 'listMyOrders', { headers: bearer('buyer-1', 'buyer'), query });
      expect(got.json.code).toBe(query === '?cursor=%00' ? 'INVALID_REQUEST' : 'UNAVAILABLE');
    }
  });
});

describe('a failure', () => {
  it('is a 500 that says nothing of its cause', async () => {
    client.on('get-order', () => { throw new Error('secret of the inside'); });
    const got = await callOperation(gateway.app, 'getOrder', { path: { id: `${sale.saleId}.${'r'.repeat(22)}` }, headers: bearer('buyer-1', 'buyer') });
    expect([got.status, got.json.code]).toEqual([500, 'INTERNAL']);
    expect(got.text).not.toMatch(/secret|stack|\.ts/);
  });

  it('that a service finds in a request names a place, even if the service does not', async () => {
    client.on('list-orders', () => ({ ok: false, code: 'INVALID_REQUEST', detail: 'is no cursor' }));
    const got = await callOperation(gateway.app, 'listMyOrders', { headers: bearer('buyer-1', 'buyer') });
    expect(got.json.errors).toEqual([{ path: '', message: 'is no cursor' }]);
  });

  it('of a service is a 503 with a jittered wait', async () => {
    const waits = new Set<number>();
    for (let n = 0; n < 20; n++) {
      const got = await callOperation(gateway.app, 'getInventory', { path: { skuId: 'a' }, headers: bearer('o', 'operator') });
      expectContract('getInventory', got);
      expect(Number(got.headers['retry-after'])).toBe(Math.ceil(got.json.retryAfterMs / 1_000));
      waits.add(got.json.retryAfterMs);
    }
    expect(waits.size).toBeGreaterThan(5);
  });
});

describe('the development login', () => {
  it('gives a token that works', async () => {
    const got = await callOperation(gateway.app, 'loginDeveloper', { body: { accountId: 'me', roles: ['operator'] } });
    expect(got.status).toBe(200);
    client.on('get-inventory', () => ({ ok: true, value: { skuId: 'a', units: 3, taken: 1, short: 0 } }));
    expect((await callOperation(gateway.app, 'getInventory', { path: { skuId: 'a' }, headers: { authorization: `bearer ${got.json.token}` } })).json).toEqual({ skuId: 'a', units: 3, taken: 1, short: 0 });
    expect(faultsOf(await callOperation(gateway.app, 'loginDeveloper', { body: { accountId: 'a b', roles: ['king'] } }))).toEqual(['INVALID_REQUEST', '/accountId', '/roles/0']);
  });

  it('is not there unless it is switched on', async () => {
    const closed = await startGateway(new StandInClient(), testConfig({ DEV_LOGIN: 'false' }));
    expect((await closed.app.inject({ method: 'POST', url: '/v1/dev/login', payload: { accountId: 'me', roles: [] } })).json().code).toBe('NOT_FOUND');
    expect((await closed.app.inject('/openapi.json')).json().paths['/v1/dev/login']).toBeUndefined();
    await closed.close();
  });
});
