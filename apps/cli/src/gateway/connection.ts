import { readFileSync } from 'node:fs';
import type { CliConfig } from '../config.js';
import { usageFailure } from '../failure.js';

/** Where the gateway is, and who asks. */
export interface Connection {
  readonly url: URL;
  readonly token: string;
}

export interface ConnectionOptions {
  readonly url?: string;
  readonly tokenFile?: string;
  /** Send the token over plain HTTP to another machine too. */
  readonly allowHttp?: boolean;
}

/** A JWT fits into a header line; anything else would come back in an error message of whoever sends it. */
const tokenPattern = /^[\x21-\x7e]{1,8192}$/;
const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * Options go before the environment, a token's file before the token itself. The token is never part of a message.
 * @throws Failure usage: one sentence on what is missing or cannot be used
 */
export function readConnection(options: ConnectionOptions, config: CliConfig): Connection {
  return { url: readUrl(options.url ?? config.url, options.allowHttp ?? false), token: readToken(options.tokenFile, config) };
}

function readUrl(text: string | undefined, allowHttp: boolean): URL {
  if (text === undefined) throw usageFailure('which gateway? Give --url, or set FLOODGATE_URL');
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^https?:$/.test(url.protocol)) throw usageFailure('the address of the gateway must look like https://sales.example');
  if (url.username || url.password) throw usageFailure('the address of the gateway must not hold a user or a password: a token says who asks');
  if (url.search || url.hash) throw usageFailure('the address of the gateway must end before any ? or #');
  if (url.protocol === 'http:' && !loopback.test(url.hostname) && !allowHttp) {
    throw usageFailure(`over plain HTTP everybody on the way to ${url.hostname} can read the token: use https, or add --allow-http`);
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

function readToken(tokenFile: string | undefined, { token, tokenFile: otherFile }: CliConfig): string {
  const file = tokenFile ?? (token === undefined ? otherFile : undefined);
  const text = file === undefined ? token : readTokenFile(file);
  if (text === undefined) throw usageFailure('who asks? Give --token-file FILE (- is the standard input), or set FLOODGATE_TOKEN or FLOODGATE_TOKEN_FILE');
  const trimmed = text.trim();
  if (!tokenPattern.test(trimmed)) throw usageFailure(`the token ${file === undefined ? 'in FLOODGATE_TOKEN' : `in ${file}`} is not a single line of printable characters`);
  return trimmed;
}

function readTokenFile(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw usageFailure(`the token's file ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
  }
}
