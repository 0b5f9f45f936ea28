import { Module, type DynamicModule } from '@nestjs/common';
import { HttpWarehouse } from './http.warehouse.js';
import { PostgresWarehouse } from './postgres.warehouse.js';
import { WarehouseBlockStore } from './warehouse-block.store.js';
import { WarehouseClient, type WarehouseSettings } from './warehouse.client.js';
import { WarehouseJob } from './warehouse.job.js';
import { Warehouse } from './warehouse.js';

@Module({})
export class WarehouseModule {
  /** @param outside where the units are asked for; null: our own table has them */
  static forRoot(outside: WarehouseSettings | null): DynamicModule {
    const port = outside ? { provide: Warehouse, useClass: HttpWarehouse } : { provide: Warehouse, useClass: PostgresWarehouse };
    const asking = outside ? [WarehouseBlockStore, WarehouseJob, { provide: WarehouseClient, useValue: new WarehouseClient(outside) }] : [];
    return { module: WarehouseModule, global: true, providers: [port, ...asking], exports: [Warehouse] };
  }
}
