import { Module } from '@nestjs/common';
import { SealStore } from './seal.store.js';
import { SealTimer } from './seal.timer.js';

@Module({ providers: [SealStore, SealTimer] })
export class ProofModule {}
