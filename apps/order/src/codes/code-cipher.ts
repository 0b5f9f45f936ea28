import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/** `keys`: the first seals, all open. `fingerprintSecret` never changes: with another one, codes that are known would look new. */
export interface CodeSecrets {
  keys: readonly { id: string; secret: string }[];
  fingerprintSecret: string;
}

/** A code at rest: AES-256-GCM, bound to its pool and fingerprint so that rows cannot be exchanged; hex, as the statements take it. */
export interface SealedCode {
  fingerprint: string;
  keyId: string;
  sealed: string;
}

const nonceBytes = 12;
const tagBytes = 16;
/** 128 bits of the HMAC: among a million million codes two alike are less likely than a failing disk. */
const fingerprintBytes = 16;

/** The only place where redemption codes are turned into what the database keeps, and back. */
export class CodeCipher {
  private readonly keys: ReadonlyMap<string, Buffer>;
  private readonly sealsWith: string;
  private readonly fingerprintKey: Buffer;

  constructor({ keys, fingerprintSecret }: CodeSecrets) {
    this.keys = new Map(keys.map(({ id, secret }) => [id, derive(secret, 'floodgate code at rest')]));
    this.sealsWith = keys[0]!.id;
    this.fingerprintKey = derive(fingerprintSecret, 'floodgate code fingerprint');
  }

  fingerprint(code: string): string {
    return createHmac('sha256', this.fingerprintKey).update(code, 'utf8').digest().subarray(0, fingerprintBytes).toString('hex');
  }

  seal(poolId: number, code: string): SealedCode {
    const fingerprint = this.fingerprint(code);
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', this.keys.get(this.sealsWith)!, nonce).setAAD(bound(poolId, fingerprint));
    const sealed = Buffer.concat([nonce, cipher.update(code, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return { fingerprint, keyId: this.sealsWith, sealed: sealed.toString('hex') };
  }

  /** Throws, without quoting anything, where the key is not configured any more or the row is not as it was written. */
  open(poolId: number, { fingerprint, keyId, sealed }: SealedCode): string {
    const key = this.keys.get(keyId);
    if (!key) throw new Error(`CODE_KEYS has no key ${keyId} any more, and codes were sealed with it`);
    const bytes = Buffer.from(sealed, 'hex');
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes)).setAAD(bound(poolId, fingerprint)).setAuthTag(bytes.subarray(-tagBytes));
    return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]).toString('utf8');
  }
}

const derive = (secret: string, purpose: string): Buffer => Buffer.from(hkdfSync('sha256', secret, '', purpose, 32));
const bound = (poolId: number, fingerprint: string): Buffer => Buffer.from(`${poolId}:${fingerprint}`, 'latin1');
