import { Module } from '@nestjs/common';
import { AuditLogModule } from '../audit-log/audit-log.module.js';
import { InventoryController } from './inventory.controller.js';
import { InventoryStore } from './inventory.store.js';

@Module({ imports: [AuditLogModule], controllers: [InventoryController], providers: [InventoryStore], exports: [InventoryStore] })
export class InventoryModule {}
