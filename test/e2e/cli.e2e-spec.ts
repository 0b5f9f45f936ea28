import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { commands } from '../../apps/cli/src/commands.js';
import { Api, expectStatus } from '../support/api.js';
import { floodgate, type CliOptions, type CliRun } from '../support/cli.js';
import { startPlatform, type Platform } from '../support/platform.js';

let platform: Platform;
let api: Api;
let dir: string;
beforeAll(async () => {
  platform = await startPlatform();
  api = new Api(platform.run);
  dir = mkdtempSync(path.join(tmpdir(), 'floodgate-cli-'));
});
afterAll(async () => {
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

async function submittedSale(changes: Record<string, unknown> = {}): Promise<string> {
  const { id } = expectStatus(201, await api.admin('merchant', 'POST', '/sales', api.saleInput([{ title: 'Kettle', quota: 5 }], changes)));
  expectStatus(200, await api.admin('merchant', 'POST', `/sales/${id}/submit`));
  return id;
}

const stateOf = async (id: string): Promise<string> => expectStatus(200, await api.admin('operator', 'GET', `/sales/${id}`)).state;

/** Every command against the running platform. */
const cases: Record<string, () => Promise<void>> = {
  'sale list': async () => {
    const ids = [await submittedSale({ title: 'First\u001b[31m' }), await submittedSale()];
    const listed = (await ended(0, 'sale list --json --limit 1000')).json();
    expect(listed).toMatchObject({ more: false, items: expect.arrayContaining(ids.map((id) => expect.objectContaining({ id, state: 'SUBMITTED' }))) });
    const { out } = await ended(0, 'sale list');
    expect(out).toMatch(/^ID +STATE +TITLE .*CLOSES/);
    expect(out).toMatch(new RegExp(`^${ids[0]} +SUBMITTED +First\\?\\[31m `, 'm'));
    expect((await ended(0, 'sale list --limit 1')).out).toContain('there is more');
  },
  'sale show': async () => {
    const id = await submittedSale();
    const { out } = await ended(0, `sale show ${id}`);
    expect(out).toMatch(/^state +SUBMITTED$/m);
    expect(out).toMatch(new RegExp(`^${id}-1 +sku-.* Kettle +goods +2\\.50 GBP +5 +-$`, 'm'));
    expect((await ended(0, `sale show ${id} --json`)).json()).toMatchObject({ id, items: [{ title: 'Kettle' }], preflight: { rows: expect.any(Array) } });
  },
  'sale arm': async () => {
    const id = await submittedSale();
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
    expect((await ended(0, `sale arm ${await submittedSale({ opensAt: new Date(Date.now() + 86_400_000).toISOString(), closesAt: new Date(Date.now() + 90_000_000).toISOString() })}`)).out).toContain('ten minutes before');
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
