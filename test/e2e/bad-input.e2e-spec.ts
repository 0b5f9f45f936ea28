import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { repositoryRoot } from '../../tools/src/config.js';
import type { Answer, BadCase, World } from '../bad-input/bad-case.js';
import { jsonCases } from '../bad-input/json.cases.js';
import { stateCases, statesNotHere } from '../bad-input/state.cases.js';
import { tokenCases, tokensNotHere } from '../bad-input/token.cases.js';
import { transportCases } from '../bad-input/transport.cases.js';
import { valueCases, valuesNotHere } from '../bad-input/value.cases.js';
import { Api, expectStatus } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { startPlatform, type Platform } from '../support/platform.js';

const cases = [...transportCases, ...jsonCases, ...valueCases, ...tokenCases, ...stateCases];
const notHere = [...valuesNotHere, ...tokensNotHere, ...statesNotHere];

/** What no bad input may change. Notices of providers are written down whatever they say, so they are not among it. */
const records = `
  SELECT 'order' AS of, sale_id || rid AS id, state || version AS is FROM orders.orders
  UNION ALL SELECT 'stock', sale_id || item_id, concat_ws('/', allotment, held, sold, burned) FROM orders.lane_item
  UNION ALL SELECT 'ledger', operation_id || item_id, entry FROM orders.ledger
  UNION ALL SELECT 'payment', payment_id, state FROM orders.payment
  UNION ALL SELECT 'refund', payment_id, amount::text FROM orders.refund
  UNION ALL SELECT 'inventory', sku_id, concat_ws('/', units, taken) FROM orders.inventory
  UNION ALL SELECT 'sale', id, state || version FROM promotion.sale
  ORDER BY 1, 2, 3`;

describe('promise: bad input gets a clear answer and changes nothing', () => {
  let platform: Platform;
  let database: Client;
  let world: World;
  const report: string[] = [];

  beforeAll(async () => {
    platform = await startPlatform();
    database = new Client({ connectionString: platform.run.postgres.url });
    await database.connect();
    world = await makeWorld(platform);
  });
  afterAll(async () => {
    await database?.end();
    await platform?.stop();
    const file = path.join(repositoryRoot(), '.floodgate', 'bad-input.md');
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, ['| case | sent | expected | got |', '|---|---|---|---|', ...report, ...notHere.map(({ n, why }) => `| ${n} | - | elsewhere | ${why} |`)].join('\n') + '\n');
    console.info(`bad input: ${report.length} requests of ${new Set(cases.map(({ n }) => n)).size} cases, listed in ${file}`);
  });

  const state = async (): Promise<string> => JSON.stringify((await database.query(records)).rows);

  const settled = async (): Promise<void> => {
    await eventually(async () => expect(await world.api.audit(world.saleId)).toMatchObject({ verdict: 'clean' }));
  };

  it('the catalogue is whole', () => {
    const numbers = [...cases, ...notHere].map(({ n }) => n);
    expect([...new Set(numbers)].sort((a, b) => a - b)).toEqual(Array.from({ length: 120 }, (_, i) => i + 1));
    expect(notHere.filter(({ n }) => cases.some((other) => other.n === n))).toEqual([]);
  });

  it.each(cases.map((one) => [`${one.n}: ${one.sent}`, one] as const))('%s', async (_, one) => {
    const before = one.sells ? null : await state();
    const answer = await one.go(world);
    const code = codeOf(answer);
    report.push(`| ${one.n} | ${one.sent.replaceAll('|', '\\|')} | ${wanted(one)} | ${answer.status}${code ? ` ${code}` : ''} |`);
    expect([one.status].flat()).toContain(answer.status);
    if (one.code) expect([one.code].flat()).toContain(code);
    expectManners(answer);
    await one.also?.(answer, world);
    if (before !== null) expect(await state()).toBe(before);
    else await settled();
  });

  it('and after all of it every unit is explained', async () => {
    await settled();
    expect(await world.api.audit(world.saleId)).toMatchObject({ oversold: 0, lost: 0, duplicated: 0, unexplained: 0, redisEqualsPostgres: true });
  });
});

/** Nothing of the inside shows, and whoever is refused for a while learns how long. */
function expectManners({ status, headers, text }: Answer): void {
  expect(text).not.toMatch(/\n\s+at |node_modules|\.(ts|js|lua|sql):\d|ECONN|duplicate key|syntax error/);
  if (status === 429 || status === 503) expect(headers['retry-after']).toMatch(/^\d+$/);
  if (status >= 400) expect(headers['content-type']).toBe('application/problem+json');
}

const codeOf = ({ text }: Answer): string | undefined => /"code":"([A-Z_]+)"/.exec(text)?.[1];
const wanted = ({ status, code }: BadCase): string => `${[status].flat().join(' or ')}${code ? ` ${[code].flat().join(' or ')}` : ''}`;

async function makeWorld({ run }: Platform): Promise<World> {
  const api = new Api(run);
  const sale = await api.armedSale([{ quota: 60 }, { quota: 5, perAccount: 1 }]);
  const other = await api.armedSale([{ quota: 5 }]);
  const [buyer, payer] = [api.buyer(), api.buyer()];
  const items = [{ itemId: sale.items[0]!.id, quantity: 1 }];
  const orderId = expectStatus(202, await buyer.reserve(sale.id, items)).reservationId as string;
  const paidId = expectStatus(202, await payer.reserve(sale.id, items)).reservationId as string;
  await Promise.all([buyer.until(orderId, ['ORDERED']), payer.until(paidId, ['ORDERED'])]);
  await payer.pay(paidId);
  return {
    api, saleId: sale.id, otherSaleId: other.id, itemIds: [sale.items[0]!.id, sale.items[1]!.id], otherItemId: other.items[0]!.id, skuId: sale.items[0]!.skuId,
    buyer, entryToken: await buyer.entryToken(sale.id), orderId, paid: { buyer: payer, orderId: paidId }, webhookSecret: run.sandboxPayment.webhookSecret,
  };
}
