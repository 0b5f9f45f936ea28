import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { root } from './manifests.js';

interface Asked { method: string; url: string; authorization?: string; body: string }

/** The gateway and the API server, as far as this script goes to them. */
const asked: Asked[] = [];
let pages: Record<string, { status: number; body: unknown }> = {};
let server: Server;
let address: string;
let account: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => { body += String(chunk); });
    request.on('end', () => {
      const { method = '', url = '', headers: { authorization } } = request;
      asked.push({ method, url, ...(authorization ? { authorization } : {}), body });
      const { status, body: answer } = pages[url] ?? (method === 'PATCH' ? { status: 200, body: {} } : { status: 404, body: {} });
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  account = mkdtempSync(path.join(tmpdir(), 'floodgate-account-'));
  writeFileSync(path.join(account, 'namespace'), 'shop\n');
  writeFileSync(path.join(account, 'token'), 'the-token\n');
});
beforeEach(() => { asked.length = 0; pages = {}; });
afterAll(async () => {
  rmSync(account, { recursive: true, force: true });
  await new Promise((resolve) => { server.close(resolve); });
});

function preScale(env: Record<string, string> = {}): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [path.join(root, 'k8s/components/pre-scaling/pre-scale.mjs')], {
    env: { ACCOUNT_DIR: account, CLUSTER_URL: address, GATEWAY_URL: address, MINUTES_BEFORE: '30', SIZES: 'gateway=3:12,seckill=2:4', ...env }, stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => { output += String(data); });
  return new Promise((resolve, reject) => { child.once('error', reject).once('close', (code) => { resolve({ code, output }); }); });
}

const minutes = (count: number): string => new Date(Date.now() + count * 60_000).toISOString();
const sale = (opensIn: number, closesIn: number, state = 'ARMED') => ({ id: 's1', state, opensAt: minutes(opensIn), closesAt: minutes(closesIn) });
const calendar = (...items: object[]): void => { pages['/v1/sales'] = { status: 200, body: { items } }; };
const floors = () => asked.filter(({ method }) => method === 'PATCH').map(({ url, body }) => [url.split('/').at(-1), JSON.parse(body).spec.minReplicas]);
const loud = [['gateway', 12], ['seckill', 4]];
const quiet = [['gateway', 3], ['seckill', 2]];

describe('the floors of the autoscalers', () => {
  it.each([
    ['rise half an hour before a sale', [sale(20, 80)], loud],
    ['stay up while it is open', [sale(-200, 10, 'OPEN')], loud],
    ['stay up while it pauses', [sale(-200, 10, 'PAUSED')], loud],
    ['are low long before it', [sale(120, 180)], quiet],
    ['are low after it', [sale(-120, -60, 'ENDED')], quiet],
    ['are low where it was withdrawn', [sale(-1, 60, 'WITHDRAWN')], quiet],
    ['are low where there is none', [], quiet],
  ])('%s', async (_when, sales, expected) => {
    calendar(...sales);
    expect(await preScale()).toMatchObject({ code: 0 });
    expect(floors()).toEqual(expected);
  });

  it('are set with the account of the pod, in its namespace', async () => {
    calendar();
    await preScale();
    expect(asked.at(-1)).toEqual({ method: 'PATCH', url: '/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/seckill', authorization: 'Bearer the-token', body: '{"spec":{"minReplicas":2}}' });
  });

  it('follow a sale on a later page', async () => {
    pages['/v1/sales'] = { status: 200, body: { items: [sale(300, 400)], nextCursor: 'a/b' } };
    pages['/v1/sales?cursor=a%2Fb'] = { status: 200, body: { items: [sale(5, 60)] } };
    expect(await preScale()).toMatchObject({ code: 0 });
    expect(floors()).toEqual(loud);
  });

  it.each([
    ['the gateway answers with an error', { status: 503, body: { code: 'UNAVAILABLE' } }, {}],
    ['the answer is no list', { status: 200, body: {} }, {}],
    ['a size is no size', { status: 200, body: { items: [] } }, { SIZES: 'gateway=three:12' }],
  ])('stay as they are where %s', async (_what, page, env) => {
    pages['/v1/sales'] = page;
    const { code, output } = await preScale(env);
    expect({ code, floors: floors() }).toEqual({ code: 1, floors: [] });
    expect(output).toContain('nothing more was changed');
  });
});
