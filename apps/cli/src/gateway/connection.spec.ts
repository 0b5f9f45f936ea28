import { describe, expect, it } from '@jest/globals';
import type { CliConfig } from '../config.js';
import { Failure } from '../failure.js';
import { readConnection, type ConnectionOptions } from './connection.js';

const config = (changes: Partial<CliConfig> = {}): CliConfig => ({ url: 'https://sales.example', token: 'head.body.sign', tokenFile: undefined, noColor: false, ...changes });

function failureOf(options: ConnectionOptions, changes: Partial<CliConfig> = {}): Failure {
  try {
    readConnection(options, config(changes));
  } catch (error) {
    return error as Failure;
  }
  throw new Error('it was taken');
}

describe('the connection', () => {
  it('takes address and token from the environment, and an option before it', () => {
    expect(readConnection({}, config())).toEqual({ url: new URL('https://sales.example/'), token: 'head.body.sign' });
    expect(readConnection({ url: 'https://other.example/base' }, config()).url.href).toBe('https://other.example/base/');
  });

  it.each(['http://localhost:8080', 'http://127.0.0.1:8080', 'http://[::1]:8080'])('speaks plain HTTP to %s', (url) => {
    expect(readConnection({ url }, config()).url.protocol).toBe('http:');
  });

  it('speaks plain HTTP to others only if it is told to', () => {
    expect(failureOf({ url: 'http://127.0.0.1.sales.example' })).toMatchObject({ ending: 'usage', message: expect.stringContaining('--allow-http') });
    expect(readConnection({ url: 'http://sales.example', allowHttp: true }, config()).url.protocol).toBe('http:');
  });

  it.each(['ftp://sales.example', 'sales.example', 'https://me:secret@sales.example', 'https://sales.example/?token=secret', ''])('does not take %s for an address, and does not repeat it', (url) => {
    const failure = failureOf({}, { url });
    expect(failure.ending).toBe('usage');
    expect(failure.message).not.toContain('secret');
  });

  it.each([undefined, ' ', 'secret\nsecret', 'secret\u0000', 'secr\u00e9t', 'secret'.repeat(2_000)])('does not take %j for a token, and does not repeat it', (token) => {
    const failure = failureOf({}, { token });
    expect(failure.ending).toBe('usage');
    expect(failure.message).not.toMatch(/secr/);
  });
});
