import { Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { CodeCipher } from './code-cipher.js';
import { CodeOwnerStore, type OwnedCode } from './code-owner.store.js';

/** Codes in clear, for their owner alone. Whoever asks has checked that. */
@Injectable()
export class CodeReader {
  constructor(private readonly owners: CodeOwnerStore, private readonly cipher: CodeCipher, private readonly database: Database) {}

  /** The owner's codes that are good or were redeemed, in the order they were imported. */
  async codesOf(owner: string, from: Transaction | Database = this.database): Promise<string[]> {
    return (await this.owners.ofOwners(from, [owner])).map((code) => this.cipher.open(code.poolId, code));
  }

  /** The owner's code that reads so, whatever became of it; undefined if there is none. */
  match(owned: readonly OwnedCode[], code: string): OwnedCode | undefined {
    const fingerprint = this.cipher.fingerprint(code);
    return owned.find((each) => each.fingerprint === fingerprint);
  }
}
