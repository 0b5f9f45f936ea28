import { Module } from '@nestjs/common';
import { ExportStore } from './export.store.js';
import { ProofController } from './proof.controller.js';
import { SaleExporter } from './sale.exporter.js';
import { SealStore } from './seal.store.js';
import { SealTimer } from './seal.timer.js';

@Module({ controllers: [ProofController], providers: [SealStore, SealTimer, ExportStore, SaleExporter] })
export class ProofModule {}
