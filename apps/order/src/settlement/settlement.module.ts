import { Module } from '@nestjs/common';
import { SettlementComparison } from './settlement.comparison.js';
import { SettlementController } from './settlement.controller.js';
import { SettlementDesk } from './settlement.desk.js';
import { SettlementRecordsStore } from './settlement-records.store.js';
import { SettlementStore } from './settlement.store.js';
import { SettlementTimer } from './settlement.timer.js';

/** Needs PaymentModule and PaymentProviderModule in the application. */
@Module({ controllers: [SettlementController], providers: [SettlementStore, SettlementRecordsStore, SettlementComparison, SettlementDesk, SettlementTimer] })
export class SettlementModule {}
