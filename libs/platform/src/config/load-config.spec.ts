import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { ConfigError, commonConfig, loadConfig } from './load-config.js';
import { secret, secretPair } from './secrets.js';

const schema = z.object({ ...commonConfig, JWT_SECRET: z.string().min(32) });

describe('loadConfig', () => {
  it('gives defaults and numbers', () => {
    expect(loadConfig(schema, { INTERNAL_PORT: '9001', JWT_SECRET: 'x'.repeat(32) })).toEqual({
      NODE_ENV: 'development', LOG_LEVEL: 'info', NAMESPACE: 'floodgate', OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: 0.01, INTERNAL_PORT: 9001, INTERNAL_HOST: '127.0.0.1', HOST: '127.0.0.1', JWT_SECRET: 'x'.repeat(32),
    });
  });

  it('names every problem at once, and repeats no value', () => {
    const load = () => loadConfig(schema, { INTERNAL_PORT: 'many', JWT_SECRET: 'too-short', NAMESPACE: 'a b' });
    expect(load).toThrow(ConfigError);
    expect(load).toThrow(/3 problem\(s\):\n {2}NAMESPACE: .*\n {2}INTERNAL_PORT: .*\n {2}JWT_SECRET: /);
    expect(load).not.toThrow(/too-short/);
  });

  it('has no default for a secret', () => {
    expect(() => loadConfig(schema, { INTERNAL_PORT: '1' })).toThrow(/JWT_SECRET/);
  });
});

const random = 'q7Hk2ZpX9vLw4NbT8sRd3YcMf6GjUa5E';
const other = 'Wm4xTz8BqK1nVy6PcRj3HsLd9FgAe7Ui';

describe('a secret that is being changed', () => {
  const pair = z.object({ KEY_SECRET: secretPair });

  it.each([[random, [random]], [`${random},${other}`, [random, other]], [`${random}\n${other}\n`, [random, other]], [` ${random} , ${other} `, [random, other]]])('%j', (text, list) => {
    expect(loadConfig(pair, { KEY_SECRET: text })).toEqual({ KEY_SECRET: list });
  });

  it.each(['', ',', 'short', `${random},short`, `${random},${other},${random}x`])('is never %j', (text) => {
    expect(() => loadConfig(pair, { KEY_SECRET: text })).toThrow(/KEY_SECRET/);
  });
});

describe('a secret in a file', () => {
  const fileSchema = z.object({ JWT_SECRET: secret, DATABASE_URL: z.url().optional(), BOOK_FILE: z.string().optional() });
  let folder: string;
  let file: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'secrets-'));
    file = path.join(folder, 'jwt');
    writeFileSync(file, `${random}\n`);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is read, without its last line break', () => {
    expect(loadConfig(fileSchema, { JWT_SECRET_FILE: file })).toEqual({ JWT_SECRET: random });
  });

  it('may be a server\'s address; a file of another kind is left alone', () => {
    const url = path.join(folder, 'url');
    writeFileSync(url, 'postgres://a:b@c/d');
    expect(loadConfig(fileSchema, { JWT_SECRET: random, DATABASE_URL_FILE: url, BOOK_FILE: file })).toEqual({ JWT_SECRET: random, DATABASE_URL: 'postgres://a:b@c/d', BOOK_FILE: file });
  });

  it('that is not there, or given twice, is a problem like any other', () => {
    expect(() => loadConfig(fileSchema, { JWT_SECRET_FILE: path.join(folder, 'none') })).toThrow(/JWT_SECRET_FILE: cannot be read \(ENOENT\)/);
    expect(() => loadConfig(fileSchema, { JWT_SECRET_FILE: file, JWT_SECRET: other })).toThrow(/JWT_SECRET_FILE: JWT_SECRET is set, too/);
  });
});

describe('production', () => {
  const servers = z.object({ NODE_ENV: commonConfig.NODE_ENV, JWT_SECRET: secretPair.optional(), API_KEY: secret.optional(), AMQP_URL: z.url().optional(), CALLBACK_URL: z.url().optional() });
  const load = (env: Record<string, string>, mode = 'production') => loadConfig(servers, { NODE_ENV: mode, ...env });

  it.each<[string, string]>([
    ['JWT_SECRET', 'k'.repeat(64)],
    ['JWT_SECRET', random.slice(0, 31)],
    ['JWT_SECRET', `${random},${other.slice(0, 20)}`],
    ['JWT_SECRET', 'change-me-change-me-change-me-1234567890'],
    ['JWT_SECRET', 'jwt-secret-jwt-secret-jwt-secret-0123456789'],
    ['JWT_SECRET', 'floodgate-0123456789abcdefghijklmnopq'],
    ['API_KEY', 'an-Example-Key-0123456789-abcdefghijklmnopq'],
    ['AMQP_URL', 'amqp://localhost'],
    ['AMQP_URL', 'amqp://guest:guest@localhost'],
    ['AMQP_URL', 'amqp://app:password-password-password@localhost'],
    ['AMQP_URL', 'amqp://applicationaccount:applicationaccount@localhost'],
  ])('refuses %s = %s, which development takes', (name, value) => {
    expect(() => load({ [name]: value })).toThrow(new RegExp(`1 problem.*\n {2}${name}: `));
    expect(() => load({ [name]: value })).not.toThrow(new RegExp(value.slice(-12).replaceAll('/', '.')));
    expect(() => load({ [name]: value }, 'development')).not.toThrow();
  });

  it('takes random ones, and asks nothing of what is no secret', () => {
    expect(() => load({ JWT_SECRET: `${random},${other}`, API_KEY: random, AMQP_URL: `amqp://app:${random}@localhost`, CALLBACK_URL: 'https://shop.example/callbacks' })).not.toThrow();
  });
});
