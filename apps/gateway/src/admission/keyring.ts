import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { isSignedBy, sign } from './signature.js';

interface NamedKey {
  id: string;
  key: KeyObject;
}

/**
 * The keys of one purpose, made from one secret or two: the first signs, each of them is believed. A key has a short name that stands in
 * what it signed, so that only one of them is tried.
 */
export class Keyring {
  private readonly keys: readonly [NamedKey, ...NamedKey[]];

  /** @param purpose keys of two purposes have nothing in common, though the secret is the same */
  constructor(secrets: readonly string[], purpose: string) {
    const [first, ...others] = secrets.map((secret) => ({ id: derive(secret, `${purpose} id`).toString('base64url').slice(0, 6), key: createSecretKey(derive(secret, purpose)) }));
    if (!first) throw new Error(`no secret for ${purpose}`);
    this.keys = [first, ...others];
  }

  /** The name of the key that signs now. */
  get currentId(): string {
    return this.keys[0].id;
  }

  /** By the current key. */
  sign(text: string): string {
    return sign(text, this.keys[0].key);
  }

  has(id: string): boolean {
    return this.keys.some((one) => one.id === id);
  }

  /** By the key of this name. @throws Error where there is none */
  signBy(id: string, text: string): string {
    const named = this.keys.find((one) => one.id === id);
    if (!named) throw new Error('there is no key of this name');
    return sign(text, named.key);
  }

  /** Whether the key of this name is one of ours and has signed the text. */
  hasSigned(id: string, text: string, signature: string): boolean {
    const named = this.keys.find((one) => one.id === id);
    return named !== undefined && isSignedBy(named.key, text, signature);
  }
}

const derive = (secret: string, label: string): Buffer => createHmac('sha256', Buffer.from(secret, 'utf8')).update(label).digest();
