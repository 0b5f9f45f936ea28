import { Module } from '@nestjs/common';
import { InventoryController } from './inventory.controller.js';
import { InventoryStore } from './inventory.store.js';

@Module({ controllers: [InventoryController], providers: [InventoryStore], exports: [InventoryStore] })
export class InventoryModule {}
