import { randomInt } from 'node:crypto';
import { createChallenge, verifySolution, type Challenge as Puzzle } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2';
import { z } from 'zod';
import { roundsPerTry } from './challenge-difficulty.js';
import { Keyring } from './keyring.js';

/** Long enough to solve it on an old telephone and wait for the opening, short enough that nobody can hoard solutions. */
export const challengeLifeMs = 180_000;
const algorithm = 'PBKDF2/SHA-256';
const solutionCharactersMax = 8_192;

const hex = z.string().regex(/^[0-9a-f]{2,256}$/);
const payloadSchema = z.strictObject({
  challenge: z.strictObject({
    parameters: z.strictObject({
      algorithm: z.literal(algorithm), nonce: hex, salt: hex, cost: z.literal(roundsPerTry), keyLength: z.int(), keyPrefix: hex, keySignature: hex,
      data: z.strictObject({ key: z.string().max(16), for: z.string().max(64), expiresMs: z.int() }),
    }),
    signature: hex,
  }),
  solution: z.strictObject({ counter: z.int().min(0), derivedKey: hex, time: z.number().optional() }),
});

export interface Solved {
  /** The puzzle's own: what may be used once. */
  id: string;
  expiresMs: number;
}

/**
 * Proof-of-work puzzles by ALTCHA (version 2, a fixed counter: nobody is unlucky for long). Account, sale and expiry stand inside the signed
 * part. The expiry is in `data`, by the platform's clock: the library would judge its own by this machine's. Stateless; that a puzzle
 * is good once is remembered by seckill.
 */
export class Challenges {
  private readonly keys: Keyring;

  /** @param secrets the first signs, each is believed */
  constructor(secrets: readonly string[]) {
    this.keys = new Keyring(secrets, 'challenge');
  }

  /** @param tries that it may take at most @param nowMs by the platform's clock */
  async create(saleId: string, accountId: string, tries: number, nowMs: number): Promise<{ puzzle: Puzzle; expiresMs: number }> {
    const expiresMs = nowMs + challengeLifeMs;
    const { currentId } = this.keys;
    const puzzle = await createChallenge({
      algorithm, deriveKey, cost: roundsPerTry, counter: randomInt(tries),
      data: { key: currentId, for: this.holder(currentId, saleId, accountId), expiresMs },
      ...this.hmacSecrets(currentId),
    });
    return { puzzle, expiresMs };
  }

  /** What was solved, or null: no solution, a wrong one, a changed puzzle, an expired one, or somebody else's. @param given by the client, unchecked */
  async check(given: unknown, saleId: string, accountId: string, nowMs: number): Promise<Solved | null> {
    const payload = payloadSchema.safeParse(typeof given === 'string' ? decode(given) : given);
    if (!payload.success) return null;
    const { challenge, solution } = payload.data;
    const { nonce, data: { key, for: holder, expiresMs } } = challenge.parameters;
    if (!this.keys.has(key) || holder !== this.holder(key, saleId, accountId) || nowMs >= expiresMs) return null;
    const { verified } = await verifySolution({ challenge, solution: { counter: solution.counter, derivedKey: solution.derivedKey }, deriveKey, ...this.hmacSecrets(key) });
    return verified ? { id: nonce, expiresMs } : null;
  }

  /** Stands for the account and the sale, and tells nobody who it is. */
  private holder(keyId: string, saleId: string, accountId: string): string {
    return this.keys.signBy(keyId, `holder\n${saleId}\n${accountId}`);
  }

  private hmacSecrets(keyId: string): { hmacSignatureSecret: string; hmacKeySignatureSecret: string } {
    return { hmacSignatureSecret: this.keys.signBy(keyId, 'puzzle'), hmacKeySignatureSecret: this.keys.signBy(keyId, 'answer') };
  }
}

/** ALTCHA's widget sends its payload as JSON in base64. */
function decode(text: string): unknown {
  if (text.length > solutionCharactersMax) return undefined;
  try {
    return JSON.parse(Buffer.from(text, 'base64').toString('utf8')) as unknown;
  } catch {
    return undefined; // Not JSON: no solution.
  }
}
