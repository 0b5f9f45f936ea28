import { describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { serviceEnvironment, serviceNames, sandboxName, type AppName } from '../../tools/src/supervisor/services.js';

/** What everybody types first, and what stands in every example. */
const guessable = 'change-me-please';
const isSecret = (name: string, value: string): boolean => /_(SECRET|KEYS?)$/.test(name) || /^(AMQP|DATABASE|REDIS|SMTP)_URL$/.test(name) || value.includes(guessable);

/** The environment as the supervisor makes it, with these secrets. */
function environment(app: AppName, secret: () => string): Record<string, string> {
  const drawn = new Proxy({}, { get: () => secret() }) as Parameters<typeof serviceEnvironment>[1]['secrets'];
  const server = (scheme: string) => `${scheme}://floodgate:${secret()}@127.0.0.1:1`;
  const ports = { gateway: 1, sandbox: 1, internal: Object.fromEntries([...serviceNames, sandboxName].map((name) => [name, 0])) as Record<AppName, number> };
  const urls = { redis: server('redis'), rabbitmq: server('amqp'), postgres: `${server('postgres')}/floodgate` };
  const env = serviceEnvironment(app, { urls, ports, secrets: drawn, namespace: 'production', stateDir: '/nowhere', mode: 'test', logLevel: 'fatal' });
  return { ...env, NODE_ENV: 'production', DEV_LOGIN: 'false' };
}

/** Starts the app as it is built; resolves when it has ended. */
function run(app: AppName, env: Record<string, string>): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const main = path.resolve('dist', app, 'main.js');
    execFile(process.execPath, [main], { env: { PATH: process.env['PATH'], ...env }, timeout: 120_000 }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, output: stdout + stderr });
    });
  });
}

describe('promise: in production no process starts with a secret that somebody could guess', () => {
  it.each<AppName>([...serviceNames, sandboxName])('%s', async (app) => {
    const env = environment(app, () => guessable);
    const { code, output } = await run(app, env);
    expect(code).toBe(1);
    for (const [name, value] of Object.entries(env)) if (isSecret(name, value)) expect(output).toContain(`  ${name}: `);
    expect(output).not.toContain(guessable);
  });

  it('the gateway does not let anybody be anybody', async () => {
    const { code, output } = await run('gateway', { ...environment('gateway', () => randomBytes(32).toString('base64url')), DEV_LOGIN: 'true' });
    expect([code, output]).toEqual([1, expect.stringContaining('1 problem(s):\n  DEV_LOGIN: ')]);
  });

  it('a random one is taken: what is wrong then is another thing', async () => {
    const { code, output } = await run('gateway', { ...environment('gateway', () => randomBytes(32).toString('base64url')), PORT: 'none' });
    expect([code, output]).toEqual([1, expect.stringContaining('1 problem(s):\n  PORT: ')]);
  });
});
