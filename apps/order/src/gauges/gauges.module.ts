import { Module } from '@nestjs/common';
import { StockGaugeStore } from './stock-gauge.store.js';
import { StockGauges } from './stock.gauges.js';

@Module({ providers: [StockGaugeStore, StockGauges] })
export class GaugesModule {}
