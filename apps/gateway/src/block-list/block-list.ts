import { Injectable } from '@nestjs/common';
import type { Block } from '@floodgate/contracts';

interface Entry {
  version: number;
  blocked: boolean;
  untilMs: number;
}

/** Accounts that may not buy, as far as this gateway has heard. Changes come twice and in any order: each account goes by its version. */
@Injectable()
export class BlockList {
  /** Every change up to this version is known here; null before the first listing. */
  version: number | null = null;
  private readonly entries = new Map<string, Entry>();

  apply(entries: readonly Block[]): void {
    for (const { accountId, version, blocked, untilMs } of entries) {
      const known = this.entries.get(accountId);
      if (!known || version > known.version) this.entries.set(accountId, { version, blocked, untilMs: untilMs ?? Infinity });
    }
  }

  /** @param nowMs by the platform's clock */
  isBlocked(accountId: string, nowMs: number): boolean {
    const entry = this.entries.get(accountId);
    return entry !== undefined && entry.blocked && nowMs < entry.untilMs;
  }

  /** Drops what holds no more. Only once every change is known up to those versions, or a late message would bring one back. */
  forgetPast(nowMs: number): void {
    if (this.version === null) return;
    for (const [accountId, { version, blocked, untilMs }] of this.entries) {
      if (version <= this.version && (!blocked || untilMs < nowMs - keptAfterEndMs)) this.entries.delete(accountId);
    }
  }
}

/** Longer than a message can be on its way to a gateway: what it lost with its queue never comes. */
const keptAfterEndMs = 10 * 60_000;
