import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { ConfigError, commonConfig, loadConfig } from './load-config.js';

const schema = z.object({ ...commonConfig, JWT_SECRET: z.string().min(32) });

describe('loadConfig', () => {
  it('gives defaults and numbers', () => {
    expect(loadConfig(schema, { INTERNAL_PORT: '9001', JWT_SECRET: 'x'.repeat(32) })).toEqual({
      NODE_ENV: 'development', LOG_LEVEL: 'info', NAMESPACE: 'floodgate', INTERNAL_PORT: 9001, HOST: '127.0.0.1', JWT_SECRET: 'x'.repeat(32),
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
