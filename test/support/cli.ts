import { spawn } from 'node:child_process';
import path from 'node:path';
import { repositoryRoot } from '../../tools/src/config.js';
import { signToken, type PlatformAddress } from './api.js';

/** What a finished run of the operator's command left. */
export interface CliRun<T = any> {
  exit: number | null;
  out: string;
  err: string;
  /** The output as JSON. Throws where it is none. */
  json: () => T;
}

export interface CliOptions {
  /** Roles of the token. */
  roles?: readonly string[];
  env?: Record<string, string>;
  input?: string;
  /** Gets what is written so far, whenever something was; returns true when the command shall be interrupted. */
  until?: (out: string) => boolean;
}

const everyRole = ['merchant', 'approver', 'operator', 'auditor'];

/** Starts the operator's command as a shell would, against a running platform, and waits for its end. */
export function floodgate(run: PlatformAddress, args: readonly string[], { roles = everyRole, env = {}, input = '', until }: CliOptions = {}): Promise<CliRun> {
  const child = spawn(process.execPath, [path.join(repositoryRoot(), 'apps/cli/bin/floodgate.mjs'), ...args], {
    env: { FLOODGATE_URL: run.gatewayUrl, FLOODGATE_TOKEN: signToken(run.jwtSecret, 'cli-operator', [...roles]), ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const written = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    written.out += text;
    if (until?.(written.out)) child.kill('SIGINT');
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => { written.err += text; });
  child.stdin.on('error', () => undefined); // it may have ended without reading
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exit) => resolve({ exit, ...written, json: () => JSON.parse(written.out) as unknown }));
  });
}
