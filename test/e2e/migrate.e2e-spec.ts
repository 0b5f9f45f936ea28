import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import pg from 'pg';
import { infraUrls } from '../support/infra.js';

type Owner = 'promotion' | 'order' | 'notification';

/** Starts `node main.js migrate` with an environment that has nothing else; `onOutput` sees what it says. */
function migrate(app: Owner, env: Record<string, string>, onOutput: (text: string, stop: () => void) => void = () => undefined): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [path.resolve('dist', app, 'main.js'), 'migrate'], { env: { PATH: process.env['PATH'], NODE_ENV: 'test', ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => { output += String(data); onOutput(output, () => child.kill('SIGTERM')); });
  return new Promise((resolve, reject) => { child.once('error', reject).once('close', (code) => { resolve({ code, output }); }); });
}

describe('promise: a schema is brought up to date before anything starts on it, or nothing of it is changed', () => {
  const name = `migrate_${randomBytes(8).toString('hex')}`;
  const url = new URL(infraUrls().databaseUrl);
  const query = async (text: string, database = url.toString()): Promise<any[]> => {
    const client = new pg.Client({ connectionString: database });
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  };
  const applied = async (schema: string): Promise<string[]> => (await query(`SELECT name FROM ${schema}.migrations ORDER BY id`)).map((row) => row.name as string);

  beforeAll(async () => {
    await query(`CREATE DATABASE ${name}`, infraUrls().databaseUrl);
    url.pathname = `/${name}`;
  });
  afterAll(() => query(`DROP DATABASE ${name} WITH (FORCE)`, infraUrls().databaseUrl));

  it('a migration that fails ends with 1, and leaves what was there', async () => {
    await query('CREATE SCHEMA notification');
    await query('CREATE TABLE notification.buyer_message (other integer)');
    const { code, output } = await migrate('notification', { DATABASE_URL: url.toString() });
    expect([code, output]).toEqual([1, expect.stringContaining('already exists')]);
    expect(await query("SELECT column_name FROM information_schema.columns WHERE table_schema = 'notification' AND table_name = 'buyer_message'")).toEqual([{ column_name: 'other' }]);
    expect(await applied('notification')).toEqual([]);
    await query('DROP SCHEMA notification CASCADE');
  });

  it.each([['promotion', 'promotion'], ['notification', 'notification']] as const)('%s', async (app, schema) => {
    expect(await migrate(app, { DATABASE_URL: url.toString() })).toMatchObject({ code: 0, output: expect.stringContaining('the schema is current') });
    expect((await applied(schema)).length).toBeGreaterThan(0);
  });

  it('order, by two at once, each migration once; again changes nothing', async () => {
    const both = await Promise.all([migrate('order', { DATABASE_URL: url.toString() }), migrate('order', { DATABASE_URL: url.toString() })]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    const first = await applied('orders');
    expect(first.length).toBeGreaterThan(0);
    expect(new Set(first).size).toBe(first.length);
    expect(await migrate('order', { DATABASE_URL: url.toString() })).toMatchObject({ code: 0, output: expect.stringContaining('the schema is current') });
    expect(await applied('orders')).toEqual(first);
  });

  it('a server that is away is waited for, until whoever started it has waited enough', async () => {
    const { code, output } = await migrate('order', { DATABASE_URL: 'postgresql://floodgate@127.0.0.1:1/floodgate' }, (text, stop) => { if (text.includes('waiting for Postgres')) stop(); });
    expect([code, output]).toEqual([1, expect.stringContaining('waiting for Postgres')]);
  });

  it('without an address it ends at once, and says what is missing', async () => {
    expect(await migrate('order', {})).toEqual({ code: 1, output: expect.stringContaining('1 problem(s):\n  DATABASE_URL: ') });
  });
});
