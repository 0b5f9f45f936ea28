import { Module, type DynamicModule } from '@nestjs/common';
import { ClaimCodes } from './claim-codes.js';
import { CodeCipher, type CodeSecrets } from './code-cipher.js';
import { CodeClaimStore } from './code-claim.store.js';
import { CodeOwnerStore } from './code-owner.store.js';
import { CodePoolStore } from './code-pool.store.js';
import { CodeReader } from './code-reader.js';
import { VoucherItems } from './voucher-items.js';

/** The records of codes alone, with the keys to them. Global, because orders show them and the saga claims them. */
@Module({})
export class CodeStoreModule {
  static forRoot(secrets: CodeSecrets): DynamicModule {
    const stores = [ClaimCodes, CodeClaimStore, CodeOwnerStore, CodePoolStore, CodeReader, VoucherItems];
    return { module: CodeStoreModule, global: true, providers: [{ provide: CodeCipher, useFactory: () => new CodeCipher(secrets) }, ...stores], exports: [CodeCipher, ...stores] };
  }
}
