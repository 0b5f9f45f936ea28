import { randomUUID } from 'node:crypto';

import type { Scene } from './hold-sale.js';
import { signToken } from './sign-token.js';

/** Ways to get in without being let in, and one that was let in and wants more than its share. */
export const botKinds = ['hammer', 'no-work', 'forged-entry', 'stolen-entry', 'forged-jwt', 'stolen-key', 'hoarder'] as const;
export type BotKind = (typeof botKinds)[number];

/** What a bot is about to send. */
export interface BotRequest {
  kind: BotKind;
  account: string;
  path: string;
  token: string;
  from: string;
  key?: string;
  body: object;
}

/** What the bots know: everything that a buyer shows on the way, but not the secrets that sign it. */
export interface Loot {
  /** Entry tokens of buyers, by account; none before the opening. */
  entryTokens: ReadonlyMap<string, string>;
  /** Keys and accounts of buyers. */
  keys: readonly { buyer: string; key: string }[];
}

/** The bots' accounts, in a sale of this name. */
export const botName = (sale: string, nth: number): string => `bot-${sale}-${nth}`;
export const hoarderName = (sale: string, nth: number): string => `hoarder-${sale}-${nth}`;

/** Half of the hoarders sit in one /64 and change their address with each request; the others have each a /64, and many of them. */
export const sharesNetwork = (nth: number): boolean => nth % 2 === 0;

/** Makes the requests of the bots, one after the other: kinds in turn, accounts in turn, another address each time. */
export class BotRequests {
  private made = 0;
  private readonly tokens = new Map<string, string>();
  private readonly path: string;

  constructor(private readonly scene: Scene, private readonly sale: string, private readonly counts: { accounts: number; hoarders: number }, private readonly loot: Loot) {
    this.path = `/v1/sales/${scene.sale.id}`;
  }

  next(): BotRequest {
    const n = this.made++;
    const hoarder = hoarderName(this.sale, n % this.counts.hoarders);
    const kind = this.kindOf(n, hoarder);
    const account = kind === 'hoarder' ? hoarder : botName(this.sale, n % this.counts.accounts);
    const victim = this.loot.keys[n % this.loot.keys.length]!;
    const common = { kind, account, from: this.addressOf(kind, n, victim.buyer), path: `${this.path}/reservations`, key: randomUUID() as string, token: this.tokenOf(account) };
    const stolen = this.loot.entryTokens.get(victim.buyer) ?? 'none';
    switch (kind) {
      case 'hammer': return n % 4 === 0 ? this.asking(common, {}) : { ...common, body: this.body('none') };
      case 'no-work': return this.asking(common, { solution: Buffer.from(`{"solution":{"counter":${n}}}`).toString('base64') });
      case 'forged-entry': return { ...common, body: this.body(forged(stolen, n)) };
      case 'stolen-entry': return { ...common, body: this.body(stolen) };
      case 'forged-jwt': return { ...common, key: victim.key, token: forgedJwt(this.scene.stage.tokenOf(victim.buyer), n), body: this.body(stolen) };
      case 'stolen-key': return { ...common, key: victim.key, body: this.body(stolen) };
      case 'hoarder': return { ...common, body: this.body(this.loot.entryTokens.get(account) ?? 'none') };
    }
  }

  /** Before the opening there is nothing to steal; a hoarder without a token waits for it. */
  private kindOf(n: number, hoarder: string): BotKind {
    const kind = botKinds[n % botKinds.length]!;
    const ready = kind === 'hoarder' ? this.loot.entryTokens.has(hoarder) : this.loot.entryTokens.size > 0;
    return ready ? kind : n % 2 === 0 ? 'hammer' : 'forged-jwt';
  }

  private asking({ key: _, ...common }: Omit<BotRequest, 'body'>, body: object): BotRequest {
    return { ...common, path: `${this.path}/entry-token`, body };
  }

  private body(entryToken: string): object {
    return { entryToken, items: [{ itemId: this.scene.sale.items[0]!.id, quantity: 1 }] };
  }

  private tokenOf(account: string): string {
    let token = this.tokens.get(account);
    if (token === undefined) this.tokens.set(account, token = signToken(this.scene.stage.run.jwtSecret, account, ['buyer']));
    return token;
  }

  /** The proxy writes the true address last; what stands before it are the bot's own words, here the address of a buyer. */
  private addressOf(kind: BotKind, n: number, victim: string): string {
    const shared = kind === 'hoarder' ? sharesNetwork(n % this.counts.hoarders) : n % 3 === 0;
    // The hoarders' network is theirs alone: its rate is not used up by the others.
    const own = shared ? `2001:db8:1:${kind === 'hoarder' ? 1 : 2}::${(n % 65_536).toString(16)}` : `2001:db8:2:${(n % 65_536).toString(16)}::1`;
    return n % 2 === 0 ? own : `${this.scene.stage.as(victim).from ?? '198.18.0.1'}, ${own}`;
  }
}

/** A genuine token with one character of its signature changed, or one that was made up. */
function forged(token: string, n: number): string {
  if (n % 2 === 0) return `et2.0.${Buffer.from(String(n)).toString('base64url')}.${'A'.repeat(43)}`;
  return token.slice(0, -2) + (token.at(-2) === 'A' ? 'B' : 'A') + token.slice(-1);
}

/** A buyer's token under another signature, or under none. */
function forgedJwt(token: string, n: number): string {
  const [, payload = '', signature = ''] = token.split('.');
  if (n % 4 < 2) return `${token.slice(0, -signature.length)}${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
  return `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${payload}.${signature}`;
}
