import { Global, Injectable, Module, Optional, type DynamicModule, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { ConsumerProbes } from '../messaging/consumer.probes.js';
import { Readiness } from '../shutdown/readiness.js';
import { ServiceModule } from '../shutdown/service.module.js';
import { Database, type DatabaseOptions } from './database.js';
import { migrate, type MigrationOptions } from './migrations.js';

export type PostgresOptions = DatabaseOptions & MigrationOptions;

@Injectable()
class PostgresLifecycle implements OnModuleInit, OnApplicationShutdown {
  constructor(
    private readonly database: Database,
    private readonly dataSource: DataSource,
    private readonly readiness: Readiness,
    @Optional() private readonly probes?: ConsumerProbes,
  ) {}

  onModuleInit(): void {
    this.readiness.register('postgres', () => this.database.reachable());
    // A paused consumer must not take messages only to give them back: some brokers count that, and have a limit.
    this.probes?.registerForAll(() => this.database.reachable());
  }

  async onApplicationShutdown(): Promise<void> {
    await this.database.close();
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
  }
}

/** Global. Migrates the schema first (waiting for the server if need be), then provides Database and typeorm's DataSource. */
@Global()
@Module({})
export class PostgresModule {
  static forRoot(options: PostgresOptions): DynamicModule {
    return {
      module: PostgresModule,
      imports: [ServiceModule],
      providers: [
        { provide: DataSource, useFactory: () => migrate(options) },
        // Depends on the DataSource: nothing queries before the schema is there.
        { provide: Database, useFactory: () => new Database(options), inject: [DataSource] },
        PostgresLifecycle,
      ],
      exports: [Database, DataSource],
    };
  }
}
