import { Module } from '@nestjs/common';
import { IdempotencyKeyStore } from './idempotency-key.store.js';

@Module({ providers: [IdempotencyKeyStore], exports: [IdempotencyKeyStore] })
export class IdempotencyModule {}
