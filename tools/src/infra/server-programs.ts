import { mkdirSync, openSync, closeSync } from 'node:fs';
import path from 'node:path';

import type { ToolsConfig } from '../config.js';
import { findBinary, findPostgresDir } from '../process/find-binary.js';
import { canInstall, install } from './apt.js';

/** The three servers, in the order messages about them are written. */
export const serverNames = ['redis', 'rabbitmq', 'postgres'] as const;
export type ServerName = (typeof serverNames)[number];

/** Where the programs of the private servers are on this machine. */
export interface ServerPrograms {
  readonly redis: string;
  readonly rabbitmq: string;
  readonly epmd: string;
  readonly postgresDir: string;
}

const debianPackages: Record<ServerName, string> = { redis: 'redis-server', rabbitmq: 'rabbitmq-server', postgres: 'postgresql' };
const urlVariables: Record<ServerName, string> = { redis: 'REDIS_URL', rabbitmq: 'AMQP_URL', postgres: 'DATABASE_URL' };

/**
 * Finds the programs of the wanted servers and installs what is missing where that is possible.
 * Throws one sentence that names what is missing and every way to provide it.
 */
export async function providePrograms(wanted: readonly ServerName[], config: ToolsConfig, logDir: string, note: (line: string) => void): Promise<Partial<ServerPrograms>> {
  let programs = lookUp(config);
  const missing = wanted.filter((name) => !isPresent(name, programs));
  if (missing.length === 0) return programs;
  const packages = missing.map((name) => debianPackages[name]);
  if (!canInstall()) throw new Error(missingSentence(missing, ''));

  note(`installing ${packages.join(', ')} with apt-get (starts no system service)`);
  mkdirSync(logDir, { recursive: true });
  const logName = path.join(logDir, 'apt.log');
  const log = openSync(logName, 'a');
  try {
    await install(packages, log, logName);
  } catch (error) {
    throw new Error(missingSentence(missing, `: ${(error as Error).message}`), { cause: error });
  } finally {
    closeSync(log);
  }
  programs = lookUp(config);
  const still = wanted.filter((name) => !isPresent(name, programs));
  if (still.length > 0) throw new Error(missingSentence(still, ', though apt-get installed its package'));
  return programs;
}

function lookUp({ PATH }: ToolsConfig): Partial<ServerPrograms> {
  const found = {
    redis: findBinary(PATH, 'redis-server', 'valkey-server'),
    rabbitmq: findBinary(PATH, '/usr/lib/rabbitmq/bin/rabbitmq-server', '/opt/homebrew/sbin/rabbitmq-server', 'rabbitmq-server'),
    epmd: findBinary(PATH, 'epmd', '/usr/lib/erlang/bin/epmd'),
    postgresDir: findPostgresDir(PATH),
  };
  return Object.fromEntries(Object.entries(found).filter(([, file]) => file !== undefined));
}

function isPresent(name: ServerName, programs: Partial<ServerPrograms>): boolean {
  if (name === 'postgres') return programs.postgresDir !== undefined;
  return name === 'redis' ? programs.redis !== undefined : programs.rabbitmq !== undefined && programs.epmd !== undefined;
}

function missingSentence(missing: readonly ServerName[], why: string): string {
  const variables = missing.map((name) => urlVariables[name]).join(', ');
  const packages = missing.map((name) => debianPackages[name]).join(', ');
  return `missing on this machine: ${missing.join(', ')}${why}; install ${packages}, or run as root on Debian or Ubuntu, or set ${variables}`;
}
