import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { InfrastructureError, traced } from '@floodgate/platform';
import { ReplyError, type Redis } from 'ioredis';

const asking = { kind: 'client', attributes: { 'db.system.name': 'redis', 'db.operation.name': 'EVALSHA' } } as const;

/** One Lua file, read at start: it lies beside the source, or beside the bundle. */
export class RedisScript {
  readonly text: string;
  readonly sha: string;

  /** @param beside the module that it lies beside */
  constructor(readonly name: string, beside: string = import.meta.url) {
    this.text = readFileSync(new URL(`./${name}`, beside), 'utf8');
    this.sha = createHash('sha1').update(this.text).digest('hex');
  }

  /**
   * Runs the script, with its text where Redis does not know it. Never for a script that sells: that Redis does not know it is the
   * alarm that it may have forgotten more.
   * @throws InfrastructureError if Redis is away or refuses to run scripts; whether the script ran is unknown unless it says so
   */
  run<T>(redis: Redis, keys: readonly string[], args: readonly (string | number)[]): Promise<T> {
    return this.traced(() => this.evaluate<T>(redis, keys, args));
  }

  /** As a step of the trace that is being worked for. */
  traced<T>(run: () => Promise<T>): Promise<T> {
    return traced(this.name, asking, run);
  }

  private async evaluate<T>(redis: Redis, keys: readonly string[], args: readonly (string | number)[]): Promise<T> {
    try {
      try {
        return (await redis.evalsha(this.sha, keys.length, ...keys, ...args)) as T;
      } catch (error) {
        if (refusalOf(error) !== 'NOSCRIPT') throw error;
        return (await redis.eval(this.text, keys.length, ...keys, ...args)) as T;
      }
    } catch (error) {
      throw asOutage(error, this.name);
    }
  }
}

// What Redis says before it runs anything of a script: it is loading, out of memory, read-only, cannot write its log, ...
const refusals = ['NOSCRIPT', 'OOM', 'MISCONF', 'BUSY', 'LOADING', 'READONLY', 'MASTERDOWN', 'NOREPLICAS', 'CLUSTERDOWN', 'MOVED', 'ASK', 'TRYAGAIN', 'NOAUTH', 'NOPERM'];

/**
 * The word with which Redis refused to run a script at all, or null if the script may have run (a lost connection, a time-out, an
 * error inside it: Lua has no rollback).
 */
export function refusalOf(error: unknown): string | null {
  if (!(error instanceof ReplyError)) return null;
  const { message } = error as Error;
  const word = message.split(' ', 1)[0] ?? '';
  return refusals.includes(word) && !/ script: [0-9a-f]{40}/.test(message) ? word : null;
}

/** An error inside a script is a bug and stays what it is; all else is Redis being away. */
export function asOutage(error: unknown, what: string): unknown {
  const refusal = refusalOf(error);
  if (error instanceof ReplyError && !refusal) return error;
  return new InfrastructureError(`redis ${what}: ${(error as Error).message}`, { cause: error, outcome: refusal ? 'not-done' : 'unknown' });
}
