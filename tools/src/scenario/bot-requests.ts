import { randomUUID } from 'node:crypto';


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

/** What the bots know: everything that a buyer shows on the way, and accounts of their own. */
export interface BotScene {
  gatewayUrl: string;
  saleId: string;
  itemId: string;
  /** Tells the accounts of one sale from those of another. */
  crowd: string;
  /** The bots' own genuine tokens, of which hoarders have one each. */
  tokens: { bots: readonly string[]; hoarders: readonly string[] };
  /** Each press of a buyer, with the token and the address that it comes from. */
  victims: readonly { buyer: string; key: string; token: string; from: string }[];
}

/** The bots' accounts, in a sale of this name. */
export const botName = (sale: string, nth: number): string => `bot-${sale}-${nth}`;
export const hoarderName = (sale: string, nth: number): string => `hoarder-${sale}-${nth}`;

/** Half of the hoarders sit in one /64 and change their address with each request; the others have each a /64, and many of them. */
export const sharesNetwork = (nth: number): boolean => nth % 2 === 0;

/** Makes the requests of the bots, one after the other: kinds in turn, accounts in turn, another address each time. */
export class BotRequests {
  private made = 0;
  private readonly path: string;

  /** @param entryTokens of buyers and hoarders, by account; none before the opening */
  constructor(private readonly scene: BotScene, private readonly entryTokens: ReadonlyMap<string, string>) {
    this.path = `/v1/sales/${scene.saleId}`;
  }

  next(): BotRequest {
    const n = this.made++;
    const { tokens, victims, crowd } = this.scene;
    const [nthHoarder, nthBot] = [n % tokens.hoarders.length, n % tokens.bots.length];
    const hoarder = hoarderName(crowd, nthHoarder);
    const kind = this.kindOf(n, hoarder);
    const [account, token] = kind === 'hoarder' ? [hoarder, tokens.hoarders[nthHoarder]!] : [botName(crowd, nthBot), tokens.bots[nthBot]!];
    const victim = victims[n % victims.length]!;
    const common = { kind, account, token, from: this.addressOf(kind, n, victim.from), path: `${this.path}/reservations`, key: randomUUID() as string };
    const stolen = this.entryTokens.get(victim.buyer) ?? 'none';
    switch (kind) {
      case 'hammer': return n % 4 === 0 ? this.asking(common, {}) : { ...common, body: this.body('none') };
      case 'no-work': return this.asking(common, { solution: Buffer.from(`{"solution":{"counter":${n}}}`).toString('base64') });
      case 'forged-entry': return { ...common, body: this.body(forged(stolen, n)) };
      case 'stolen-entry': return { ...common, body: this.body(stolen) };
      case 'forged-jwt': return { ...common, key: victim.key, token: forgedJwt(victim.token, n), body: this.body(stolen) };
      case 'stolen-key': return { ...common, key: victim.key, body: this.body(stolen) };
      case 'hoarder': return { ...common, body: this.body(this.entryTokens.get(account) ?? 'none') };
    }
  }

  /** Before the opening there is nothing to steal; a hoarder without a token waits for it. */
  private kindOf(n: number, hoarder: string): BotKind {
    const kind = botKinds[n % botKinds.length]!;
    const ready = kind === 'hoarder' ? this.entryTokens.has(hoarder) : this.entryTokens.size > 0;
    return ready ? kind : n % 2 === 0 ? 'hammer' : 'forged-jwt';
  }

  private asking({ key: _, ...common }: Omit<BotRequest, 'body'>, body: object): BotRequest {
    return { ...common, path: `${this.path}/entry-token`, body };
  }

  private body(entryToken: string): object {
    return { entryToken, items: [{ itemId: this.scene.itemId, quantity: 1 }] };
  }

  /** The proxy writes the true address last; what stands before it are the bot's own words, here the address of a buyer. */
  private addressOf(kind: BotKind, n: number, victimsOwn: string): string {
    const shared = kind === 'hoarder' ? sharesNetwork(n % this.scene.tokens.hoarders.length) : n % 3 === 0;
    // The hoarders' network is theirs alone: its rate is not used up by the others.
    const own = shared ? `2001:db8:1:${kind === 'hoarder' ? 1 : 2}::${(n % 65_536).toString(16)}` : `2001:db8:2:${(n % 65_536).toString(16)}::1`;
    return n % 2 === 0 ? own : `${victimsOwn}, ${own}`;
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
