import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createRedis } from '@floodgate/platform';
import { commands } from '../../apps/cli/src/commands.js';
import { Api, expectStatus } from '../support/api.js';
import { floodgate, type CliOptions, type CliRun } from '../support/cli.js';
import { eventually } from '../support/eventually.js';
import { startPlatform, type Platform } from '../support/platform.js';
import { SaleStories } from '../support/sale-stories.js';

/** A busy machine takes its time; what is waited for comes or does not. */
const patiently = { timeoutMs: 90_000 };

let platform: Platform;
let api: Api;
let dir: string;
let sql: pg.Client;
let stories: SaleStories;
beforeAll(async () => {
  platform = await startPlatform({ retryDelaysMs: [50, 50, 50, 50] });
  api = new Api(platform.run);
  dir = mkdtempSync(path.join(tmpdir(), 'floodgate-cli-'));
  sql = new pg.Client({ connectionString: platform.run.postgres.url });
  await sql.connect();
  stories = new SaleStories(api, sql, patiently);
  await stories.poison();
});
afterAll(async () => {
  await sql?.end();
  await platform?.stop();
  if (dir) rmSync(dir, { recursive: true, force: true });
});

const cli = (args: string, options: CliOptions = {}): Promise<CliRun> => floodgate(platform.run, args.split(' '), options);

/** The run, if it ended as it should; else all it wrote. */
async function ended(exit: number, args: string, options: CliOptions = {}): Promise<CliRun> {
  const run = await cli(args, options);
  expect([args, run.exit, run.err]).toEqual([args, exit, exit === 0 ? '' : run.err]);
  return run;
}

const stateOf = async (id: string): Promise<string> => expectStatus(200, await api.admin('operator', 'GET', `/sales/${id}`)).state;

/** Every command against the running platform. */
const cases: Record<string, () => Promise<void>> = {
  'sale list': async () => {
    const ids = [await stories.submittedSale({ title: 'First\u001b[31m' }), await stories.submittedSale()];
    const listed = (await ended(0, 'sale list --json --limit 1000')).json();
    expect(listed).toMatchObject({ more: false, items: expect.arrayContaining(ids.map((id) => expect.objectContaining({ id, state: 'SUBMITTED' }))) });
    const { out } = await ended(0, 'sale list');
    expect(out).toMatch(/^ID +STATE +TITLE .*CLOSES/);
    expect(out).toMatch(new RegExp(`^${ids[0]} +SUBMITTED +First\\?\\[31m `, 'm'));
    expect((await ended(0, 'sale list --limit 1')).out).toContain('there is more');
  },
  'sale show': async () => {
    const id = await stories.submittedSale();
    const { out } = await ended(0, `sale show ${id}`);
    expect(out).toMatch(/^state +SUBMITTED$/m);
    expect(out).toMatch(new RegExp(`^${id}-1 +sku-.* Kettle +goods +2\\.50 GBP +5 +-$`, 'm'));
    expect((await ended(0, `sale show ${id} --json`)).json()).toMatchObject({ id, items: [{ title: 'Kettle' }], preflight: { rows: expect.any(Array) } });
  },
  'sale arm': async () => {
    const id = await stories.submittedSale();
    expect((await ended(1, `sale arm ${id}`, { roles: ['operator'] })).err).toContain('FORBIDDEN');
    expect(await stateOf(id)).toBe('SUBMITTED');
    expect((await ended(0, `sale arm ${id} --wait 120`)).out).toMatch(/ is OPEN\n$/);
    expect(await stateOf(id)).toBe('OPEN');
    const skuId = `sku-short-${id}`;
    expectStatus(200, await api.admin('operator', 'PUT', `/inventory/${skuId}`, { units: 1 }));
    const short = expectStatus(201, await api.admin('merchant', 'POST', '/sales', api.saleInput([{ skuId, quota: 5 }]))).id;
    expect((await ended(1, `sale arm ${short}`)).out).toContain('is DRAFT: only a submitted or approved sale can be armed');
    expectStatus(200, await api.admin('merchant', 'POST', `/sales/${short}/submit`));
    expect((await ended(1, `sale arm ${short} --wait 120`)).out).toContain(skuId);
    expect((await ended(0, `sale arm ${await stories.submittedSale({ opensAt: new Date(Date.now() + 86_400_000).toISOString(), closesAt: new Date(Date.now() + 90_000_000).toISOString() })}`)).out).toContain('ten minutes before');
  },
  'sale pause': async () => {
    const { id } = await api.armedSale([{}]);
    expect((await ended(0, `sale pause ${id} --json`)).json()).toMatchObject({ id, state: 'PAUSED' });
    expect((await ended(1, `sale pause ${id}`)).err).toContain('INVALID_TRANSITION');
  },
  'sale resume': async () => {
    const { id } = await api.armedSale([{}]);
    await ended(0, `sale pause ${id}`);
    expect((await ended(0, `sale resume ${id}`)).out).toBe(`${id} is OPEN\n`);
  },
  'sale close': async () => {
    const { id } = await api.armedSale([{}]);
    expect((await ended(2, `sale close ${id}`)).err).toContain('add --yes');
    expect(await stateOf(id)).toBe('OPEN');
    expect((await ended(0, `sale close ${id} --yes`)).out).toBe(`${id} is ENDED\n`);
  },
  'dead-letters list': async () => {
    const { letter } = await stories.poisonedOrder();
    expect((await ended(0, 'dead-letters list')).out).toMatch(new RegExp(`^${letter} +waiting +order\\.place-order +place-order +8 +1 .*poisoned account`, 'm'));
    const listed = (await ended(0, 'dead-letters list --state waiting --json --limit 1000')).json();
    expect(listed.items).toContainEqual(expect.objectContaining({ id: letter, state: 'waiting' }));
    expect((await ended(0, 'dead-letters list --state discarded --json')).json().items).not.toContainEqual(expect.objectContaining({ id: letter }));
  },
  'dead-letters show': async () => {
    const { letter, orderId } = await stories.poisonedOrder();
    expect((await ended(0, `dead-letters show ${letter}`)).out).toMatch(new RegExp(`^body +\\{.*${orderId}`, 'm'));
    expect((await ended(1, 'dead-letters show dl-none')).err).toMatch(/NOT_FOUND.*\(request .+\)/);
  },
  'dead-letters replay': async () => {
    const { letter, orderId, buyer } = await stories.poisonedOrder();
    const outcome = async (exit: number, args = '') => (await ended(exit, `dead-letters replay ${letter} --json${args}`)).json().outcome as string;
    expect(await outcome(1, ' --dry-run')).toMatch(/^would-die-again: .*poisoned account/);
    const settled = await stories.letterRow(letter);
    expect(await outcome(0)).toBe('republished');
    await eventually(async () => {
      const { state, changed } = await stories.letterRow(letter);
      expect([state, changed > settled.changed]).toEqual(['waiting', true]);
    }, patiently);
    await sql.query(`UPDATE public.poison SET active = false`);
    expect(await outcome(0, ' --dry-run')).toBe('would-be-processed: 1 STUCK to PENDING');
    expect((await buyer.reservation(orderId)).body.state).toBe('QUEUED');
    expect(await outcome(0)).toBe('republished');
    const ordered = await buyer.until(orderId, ['ORDERED'], 60_000);
    await sql.query(`UPDATE orders.dead_letter SET state = 'waiting' WHERE id = $1`, [letter]); // as if its consumer had died before it could acknowledge
    expect(await outcome(0, ' --dry-run')).toMatch(/^would-be-acknowledged: /);
    expect(await outcome(0)).toBe('republished');
    expect((await buyer.reservation(orderId)).body).toEqual(ordered);
    expect(await outcome(0, ' --dry-run')).toBe('already-replayed');
    await sql.query(`UPDATE public.poison SET active = true`);
  },
  'dead-letters discard': async () => {
    const { letter, orderId, buyer } = await stories.poisonedOrder();
    await ended(2, `dead-letters discard ${letter} --yes`);
    await ended(2, `dead-letters discard ${letter} --reason broken`);
    expect((await ended(0, `dead-letters discard ${letter} --reason broken --yes`)).out).toBe(`${letter} is discarded\n`);
    expect(await buyer.until(orderId, ['RELEASED'], 60_000)).toMatchObject({ reason: 'order-rejected' });
    await ended(1, `dead-letters replay ${letter}`);
  },
  'sagas stuck': async () => {
    const { orderId } = await stories.poisonedOrder();
    expect((await ended(0, 'sagas stuck')).out).toMatch(new RegExp(`^${orderId} +parked `, 'm'));
    expect((await ended(0, 'sagas stuck --json --limit 1000')).json().items).toContainEqual(expect.objectContaining({ orderId, kind: 'parked' }));
  },
  'channels list': async () => {
    const { items } = (await ended(0, 'channels list --json')).json();
    expect(items).toEqual([]);
    await ended(1, 'channels list', { roles: ['auditor'] });
  },
  'channels add': async () => {
    writeFileSync(path.join(dir, 'url'), 'http://127.0.0.1:9/hook?key=not-to-be-seen\n');
    writeFileSync(path.join(dir, 'secret'), 'signs-the-messages\n');
    await ended(2, 'channels add on-call webhook');
    await ended(2, `channels add on-call webhook --url-file ${dir}/none`);
    expect((await ended(1, `channels add on-call webhook --url-file ${dir}/url`)).err).toContain('secret');
    expect((await ended(0, `channels add on-call webhook --url-file ${dir}/url --secret-file ${dir}/secret --hears alerts`)).out).toBe('on-call leads to 127.0.0.1:9 and hears alerts\n');
    const { out } = await ended(0, 'channels list');
    expect(out).toMatch(/^on-call +webhook +127\.0\.0\.1:9 +alerts /m);
    expect(out).not.toContain('not-to-be-seen');
  },
  'channels test': async () => {
    expect((await ended(3, 'channels test on-call')).out).toMatch(/^on-call has not taken it, it is tried again: /);
    await ended(1, 'channels test no-such-channel');
  },
  'channels remove': async () => {
    await ended(2, 'channels remove on-call');
    expect((await ended(0, 'channels remove on-call --yes')).out).toBe('on-call is removed\n');
    await ended(1, 'channels remove on-call --yes');
  },
  audit: async () => {
    const { id } = await stories.soldSale();
    await eventually(async () => expect(await api.audit(id)).toMatchObject({ verdict: 'clean' }), patiently);
    expect((await ended(0, `audit ${id}`)).out).toMatch(new RegExp(`^${id}-1 +3 +2 +0 +1 +0 +2$[^]*^verdict +clean$`, 'm'));
    // A unit that no record can explain.
    await sql.query('UPDATE orders.lane_item SET allotment = allotment - 1 WHERE sale_id = $1', [id]);
    await eventually(async () => expect(await api.audit(id)).toMatchObject({ verdict: 'broken' }), patiently);
    expect((await ended(1, `audit ${id} --json`)).json()).toMatchObject({ verdict: 'broken', saleId: id });
    expect((await ended(1, `audit ${id}`, { roles: ['operator'] })).err).toContain('FORBIDDEN');
  },
  reconcile: async () => {
    const { id } = await stories.soldSale();
    await eventually(async () => expect(await api.audit(id)).toMatchObject({ verdict: 'clean' }), patiently);
    expect((await ended(0, `reconcile ${id}`, { roles: ['auditor'] })).out).toMatch(/^nothing differs as of /);
    const redis = createRedis(platform.run.redis.url, { name: 'test', commandTimeoutMs: 10_000 });
    try {
      const [rid] = await eventually(() => redis.hkeys(`{${id}:0}:resv`), patiently);
      // Redis forgets the paid order and gives its unit away.
      await redis.multi().hdel(`{${id}:0}:resv`, rid!).hincrby(`{${id}:0}:stock`, `${id}-1`, 1).exec();
      expect((await ended(1, `reconcile ${id}`)).out).toMatch(new RegExp(`^not-in-redis +0 +${rid} +nothing +version \\d+, holds 1, .* resend$[^]*^2 differences as of `, 'm'));
      expect((await ended(1, `reconcile ${id} --fix`, { roles: ['auditor'] })).err).toContain('FORBIDDEN');
      await ended(2, `reconcile ${id} --reason forgotten`);
      expect((await ended(0, `reconcile ${id} --fix --reason forgotten --json`)).json()).toMatchObject({ saleId: id, mended: [{ kind: 'not-in-redis', subject: rid }], differences: [], more: 0 });
      expect((await ended(0, `reconcile ${id} --fix --json`)).json()).toMatchObject({ mended: [], differences: [] });
      await eventually(async () => expect(await api.audit(id)).toMatchObject({ verdict: 'clean' }), patiently);
      // A counter is never written: what only a load mends is left.
      const counter = [`{${id}:0}:stock`, `${id}-1`] as const;
      await redis.hset(...counter, 3);
      expect((await ended(1, `reconcile ${id} --fix`)).out).toMatch(/^recount: .*SCRIPT FLUSH/m);
      expect(await redis.hget(...counter)).toBe('3');
    } finally {
      redis.disconnect();
    }
  },
  report: async () => {
    const { id } = await stories.soldSale();
    await eventually(async () => expect(await api.audit(id)).toMatchObject({ verdict: 'clean' }), patiently);
    const file = path.join(dir, 'report.html');
    expect((await ended(0, `report ${id} --out ${file}`)).out).toContain('the audit says clean');
    const figures = Object.fromEntries([...readFileSync(file, 'utf8').matchAll(/data-figure="([^"]+)">([^<]*)</g)].map((match) => [match[1]!, match[2]!]));
    const audit = await api.audit(id);
    for (const figure of ['verdict', 'oversold', 'lost', 'duplicated', 'unexplained', 'settling']) expect([figure, figures[figure]]).toEqual([figure, String(audit[figure])]);
    for (const figure of ['quota', 'available', 'held', 'sold', 'burned']) expect([figure, figures[`${id}-1.${figure}`]]).toEqual([figure, String(audit.items[0][figure])]);
    expect(figures).toMatchObject({ captured: String(audit.payments.captured), refunded: String(audit.payments.refunded), sold: '1', paid: '1', amount: '2.50 GBP' });
    expect((await ended(0, `report ${id}`)).out).toMatch(/^paid +1$/m);
    await ended(2, `report ${id} --out ${dir}/no/such/folder.html`);
    const told = path.join(dir, 'told.json');
    writeFileSync(told, JSON.stringify({ sale: id, accepted: 1, refused: { SOLD_OUT: 4 } }));
    expect((await ended(0, `report ${id} --told ${told}`)).out).toMatch(/^refused SOLD_OUT +4$/m);
    await ended(0, `report ${id} --told ${told} --out ${file}`);
    expect(readFileSync(file, 'utf8')).toMatch(/data-figure="refused">4</);
    expect((await ended(2, `report another-sale --told ${told}`)).err).toContain(`is of the sale ${id}`);
    expect((await ended(2, `report ${id} --told ${file}`)).err).toContain('is no report');
  },
  tail: async () => {
    const { id } = await stories.soldSale();
    const [line] = (await ended(0, `tail ${id} --count 1`)).out.split('\n');
    expect(line).toMatch(/OPEN  remaining \d of 3 \(sold out: 0 of 1 items\)  reserved 1  ordered 1  open 0  paid 1  released 0$/);
    const watched = await cli(`tail ${id} --json --every 1`, { until: (out) => out.split('\n').length > 2 });
    expect(watched.exit).toBe(130);
    expect(JSON.parse(watched.out.split('\n')[1]!)).toMatchObject({ saleId: id, state: 'OPEN', reserved: 1, paid: 1 });
    await ended(0, `sale close ${id} --yes`);
    expect((await ended(0, `tail ${id}`)).out).toContain(' ENDED ');
    await ended(1, 'tail no-such-sale');
  },
  completion: async () => {
    for (const shell of ['bash', 'zsh']) expect((await ended(0, `completion ${shell}`, { env: { FLOODGATE_URL: '', FLOODGATE_TOKEN: '' } })).out).toContain('dead-letters');
    await ended(2, 'completion fish');
  },
  'switches list': async () => {
    expect((await ended(0, 'switches list')).out).toMatch(/^reservations\.enabled +true +true .*refused as UNAVAILABLE/m);
    expect((await ended(1, 'switches list --json', { roles: ['merchant'] })).err).toContain('"code": "FORBIDDEN"');
  },
  'switches set': async () => {
    expect((await ended(0, 'switches set streams.open-max 123')).out).toBe('streams.open-max is 123\n');
    expect(expectStatus(200, await api.admin('operator', 'GET', '/switches/streams.open-max'))).toMatchObject({ value: 123, changedBy: 'cli-operator' });
    expect((await ended(1, 'switches set streams.open-max true')).err).toContain('must be an integer');
    expect((await ended(1, 'switches set no.such-switch 1')).err).toContain('NOT_FOUND');
    await ended(2, 'switches set streams.open-max many');
  },
};

describe('promise: an operator can do from a terminal or a script whatever the platform lets them', () => {
  it('every command of the table has a case here', () => {
    expect(Object.keys(cases).toSorted()).toEqual(commands.map(({ name }) => name).toSorted());
  });

  it.each(Object.entries(cases))('%s', async (_name, act) => {
    await act();
    expect.hasAssertions();
  });
});

describe('the way in', () => {
  it('takes the token from a file and from the standard input, and shows it nowhere', async () => {
    const token = api.as('o-test', 'operator');
    const file = path.join(dir, 'token');
    writeFileSync(file, `${token}\n`);
    await ended(0, `switches list --token-file ${file}`, { env: { FLOODGATE_TOKEN: 'not-the-one' } });
    await ended(0, 'switches list --token-file -', { env: { FLOODGATE_TOKEN: '' }, input: token });
    await ended(0, 'switches list', { env: { FLOODGATE_TOKEN: '', FLOODGATE_TOKEN_FILE: file } });
    const secret = 'a-secret\nwith-a-second-line';
    for (const run of [await cli('switches list', { env: { FLOODGATE_TOKEN: secret } }), await cli('switches list', { env: { FLOODGATE_TOKEN: 'wrong-secret' } })]) {
      expect(run.exit).not.toBe(0);
      expect(run.out + run.err).not.toContain('secret');
    }
  });

  it('ends with 2 and asks nobody where the command line says nothing that can be done', async () => {
    for (const args of ['', 'sale', 'sale open x', 'sale show', 'sale list --limit 0', 'sale list extra', 'sale show ../../time', 'switches list --url ftp://here', 'switches list --url http://sales.example']) {
      const run = await cli(args);
      expect([args, run.exit]).toEqual([args, 2]);
    }
    expect(await cli('sale list', { env: { FLOODGATE_URL: '' } })).toMatchObject({ exit: 2, err: expect.stringContaining('FLOODGATE_URL') });
    expect(await cli('--help')).toMatchObject({ exit: 0, out: expect.stringContaining('Exit codes:') });
  });

  it('ends with 3 where nobody answers', async () => {
    const server = createServer((socket) => { socket.on('error', () => undefined).resume(); }).listen(0, '127.0.0.1');
    await new Promise((resolve) => { server.once('listening', resolve); });
    const { port } = server.address() as { port: number };
    const silent = await cli(`sale pause x --timeout 1 --url http://127.0.0.1:${port}`);
    expect(silent).toMatchObject({ exit: 3, err: expect.stringContaining('it may have been done') });
    await new Promise((resolve) => { server.close(resolve); });
    expect(await cli(`sale pause x --url http://127.0.0.1:${port}`)).toMatchObject({ exit: 3, err: expect.stringContaining('nothing was asked') });
  });
});
