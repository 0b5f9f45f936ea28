import { Injectable } from '@nestjs/common';
import { errorText } from '../errors.js';

export type Check = () => boolean | Promise<boolean>;

/** What `/readyz` and `/livez` say. Readiness: can this instance do its job now? Liveness: only a restart would help if false. */
@Injectable()
export class Readiness {
  private readonly checks = new Map<string, Check>();
  private readonly liveChecks = new Map<string, Check>();
  private stopping = false;

  /** Adds a condition of readiness; a check that throws or takes over a second counts as false. */
  register(name: string, check: Check): void {
    this.checks.set(name, check);
  }

  /** Adds a condition of liveness. Never make it depend on another server: that turns an outage into a storm of restarts. */
  registerLive(name: string, check: Check): void {
    this.liveChecks.set(name, check);
  }

  /** From here on not ready: the first step of a shutdown. */
  stop(): void {
    this.stopping = true;
  }

  /** @returns the names of the checks that fail now; empty = ready */
  async failing(): Promise<string[]> {
    return this.stopping ? ['stopping'] : failingOf(this.checks);
  }

  /** @returns the names of the liveness checks that fail now; empty = alive */
  async dead(): Promise<string[]> {
    return failingOf(this.liveChecks);
  }
}

const CHECK_TIMEOUT_MS = 1_000;

async function failingOf(checks: Map<string, Check>): Promise<string[]> {
  const results = await Promise.all([...checks].map(async ([name, check]) => ((await holds(check)) === true ? null : name)));
  return results.filter((name) => name !== null);
}

async function holds(check: Check): Promise<boolean | string> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<false>((resolve) => { timer = setTimeout(() => resolve(false), CHECK_TIMEOUT_MS); });
  try {
    return await Promise.race([check(), timeout]);
  } catch (error) {
    return errorText(error);
  } finally {
    clearTimeout(timer);
  }
}
