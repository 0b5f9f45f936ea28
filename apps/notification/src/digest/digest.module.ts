import { Module, type DynamicModule } from '@nestjs/common';
import type { Config } from '../config.js';
import { DigestJob, DigestOptions } from './digest.job.js';
import { DigestStore } from './digest.store.js';
import { FiguresClient } from './figures.client.js';
import { NoteSaleConsumer } from './note-sale.consumer.js';

const everyDefaultSeconds = 300;

/** From the sales to the team. */
@Module({})
export class DigestModule {
  static with({ DIGEST_EVERY_S, SALE_LINK }: Partial<Config>, team: DynamicModule): DynamicModule {
    return {
      module: DigestModule,
      imports: [team],
      controllers: [NoteSaleConsumer],
      providers: [DigestStore, FiguresClient, DigestJob, { provide: DigestOptions, useValue: new DigestOptions((DIGEST_EVERY_S ?? everyDefaultSeconds) * 1_000, SALE_LINK ?? null) }],
    };
  }
}
