import { Module } from '@nestjs/common';
import { ReacquisitionStore } from './reacquisition.store.js';

/** The rows alone, for whoever decides by them or shows them. */
@Module({ providers: [ReacquisitionStore], exports: [ReacquisitionStore] })
export class ReacquisitionStoreModule {}
