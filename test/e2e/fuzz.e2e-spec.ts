import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import fc from 'fast-check';
import { Client } from 'pg';
import { parse } from 'yaml';
import { fromSchema, hostile, spoil, type Schema } from '../fuzz/from-schema.js';
import { Api } from '../support/api.js';
import { startPlatform, type Platform } from '../support/platform.js';

const document = parse(readFileSync(new URL('../../apps/gateway/src/openapi/openapi.yaml', import.meta.url), 'utf8')) as Schema;
const resolve = (ref: string): Schema => ref.slice(2).split('/').reduce<any>((node, word) => node[word.replaceAll('~1', '/')], document);
const ajv = new Ajv2020({ strict: false });
(formats as unknown as { default: (into: Ajv2020) => void }).default(ajv);
ajv.addSchema({ ...document, $id: 'doc' }, 'doc', false, false);

interface Route {
  id: string;
  method: string;
  path: string;
  node: Schema;
}
const routes: Route[] = Object.entries<Schema>(document['paths']).flatMap(([path, item]) =>
  Object.entries<Schema>(item).map(([method, node]) => ({ id: node['operationId'] as string, method: method.toUpperCase(), path, node })));

const runs = Number(process.env['FUZZ_RUNS'] ?? 20);
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000);
const text = fc.oneof(fc.constantFrom(...hostile.filter((value) => typeof value === 'string')), fc.string({ unit: 'binary', maxLength: 40 }), fc.stringMatching(/^[A-Za-z0-9._~-]{1,64}$/));

describe(`promise: no invented request breaks a route (FUZZ_SEED=${seed})`, () => {
  let platform: Platform;
  let api: Api;
  let database: Client;
  beforeAll(async () => {
    platform = await startPlatform();
    api = new Api(platform.run);
    database = new Client({ connectionString: platform.run.postgres.url });
    await database.connect();
    await api.armedSale([{ quota: 3 }]);
  });
  afterAll(async () => {
    await database?.end();
    await platform?.stop();
  });

  const records = async (): Promise<unknown> => (await database.query(`
    SELECT (SELECT count(*) FROM orders.orders) AS orders, (SELECT count(*) FROM orders.ledger) AS ledger, (SELECT count(*) FROM orders.payment) AS payments,
      (SELECT json_agg(i ORDER BY sku_id) FROM orders.inventory i) AS inventory, (SELECT json_agg((id, state, version) ORDER BY id) FROM promotion.sale) AS sales,
      (SELECT json_agg((item_id, allotment, held, sold, burned) ORDER BY item_id) FROM orders.lane_item) AS stock`)).rows[0];

  it.each(routes.map((route) => [`${route.method} ${route.path}`, route] as const))('%s', async (_, route) => {
    const before = await records();
    const seen = new Set<number>();
    await fc.assert(fc.asyncProperty(invented(route), async ({ path, headers, body }) => {
      const answer = await call(route.method, path, headers, body);
      seen.add(answer.status);
      expect([answer.status, answer.text]).toEqual([expect.any(Number), expect.not.stringMatching(/\n\s+at |node_modules|\.(ts|js|lua|sql):\d|duplicate key|syntax error/)]);
      // 503 says that a part is away, and none is.
      expect(answer.status).toBeLessThan(500);
      if (answer.status >= 400) expect(JSON.parse(answer.text)).toMatchObject({ code: expect.any(String), status: answer.status, requestId: expect.any(String) });
    }), { numRuns: runs, seed });
    expect(await records()).toEqual(before);
    expect(seen.size).toBeGreaterThan(0);
  });

  async function call(method: string, path: string, headers: Record<string, string>, body: string | undefined): Promise<{ status: number; text: string }> {
    const response = await fetch(`${platform.run.gatewayUrl}${path}`, { method, headers, redirect: 'manual', ...(body === undefined ? {} : { body }) });
    return { status: response.status, text: await response.text() };
  }

  /** Requests with the right role, made-up ids, and a body that the document does not allow. */
  function invented({ node, path }: Route): fc.Arbitrary<{ path: string; headers: Record<string, string>; body: string | undefined }> {
    const parameters = ((node['parameters'] ?? []) as Schema[]).map((parameter) => (parameter['$ref'] ? resolve(parameter['$ref']) : parameter));
    const token = api.as('fuzz-1', ...((node['x-roles'] as string[]).length > 0 ? (node['x-roles'] as string[]) : ['buyer']));
    const media = node['requestBody']?.['content'] as Record<string, Schema> | undefined;
    return fc.record({
      ids: fc.array(text, { minLength: 3, maxLength: 3 }),
      query: fc.dictionary(fc.constantFrom(...parameters.filter((p) => p['in'] === 'query').map((p) => p['name'] as string), 'unknown'), text, { maxKeys: 2 }),
      key: fc.option(fc.string({ maxLength: 70 }).map((value) => value.replaceAll(/[^\x20-\x7e]/g, '')), { nil: undefined }),
      body: media ? invalidBody(media) : fc.constant(undefined),
    }).map(({ ids, query, key, body }) => {
      let nth = 0;
      const filled = path.replaceAll(/\{\w+\}/g, () => encodeURIComponent((ids[nth++ % 3]! || 'x').toWellFormed()));
      const search = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`).join('&');
      return {
        path: `${filled}${search ? `?${search}` : ''}`,
        headers: { authorization: `Bearer ${token}`, ...(key === undefined ? {} : { 'idempotency-key': key }), ...(body === undefined ? {} : { 'content-type': Object.keys(media!)[0]! }) },
        body,
      };
    });
  }
});

/** Bodies made from the schema and spoilt, or invented from nothing; never one that the document allows. */
function invalidBody(media: Record<string, Schema>): fc.Arbitrary<string | undefined> {
  const schema = media['application/json']?.['schema'] as Schema | undefined;
  if (!schema) return fc.string({ maxLength: 200 });
  const valid = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"doc#/')) as Schema);
  const nearly = fc.tuple(fromSchema(schema, resolve), fc.nat({ max: 40 }), fc.constantFrom(...hostile)).map(([value, at, bad]) => spoil(value, at, bad));
  return fc.oneof({ arbitrary: nearly, weight: 3 }, { arbitrary: fc.jsonValue(), weight: 1 }).filter((value) => !valid(value)).map((value) => JSON.stringify(value));
}
