import { Module } from '@nestjs/common';
import { StuckSagaController } from './stuck-saga.controller.js';
import { StuckSagaGauge } from './stuck-saga.gauge.js';
import { StuckSagaStore } from './stuck-saga.store.js';

@Module({ controllers: [StuckSagaController], providers: [StuckSagaStore, StuckSagaGauge] })
export class StuckSagaModule {}
