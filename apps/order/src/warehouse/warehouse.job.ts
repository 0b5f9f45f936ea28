import { createLogger, Database, errorText, InfrastructureError, Shutdown } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { SoloTask } from '../schedule/solo-task.js';
import { WarehouseBlockStore, type WarehouseBlock } from './warehouse-block.store.js';
import { WarehouseClient } from './warehouse.client.js';

const pauseMs = 200;
const batchMax = 16;
/** Spare units are no hurry: sales end once. */
const spareEveryMs = 5_000;

/** Asks the outside warehouse for what is due, again and again under the same id until it has answered. */
@Injectable()
export class WarehouseJob {
  private readonly logger = createLogger('warehouse');
  private readonly task: SoloTask;
  private sparesAtMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly database: Database, private readonly blocks: WarehouseBlockStore, private readonly client: WarehouseClient, shutdown: Shutdown) {
    this.task = new SoloTask('warehouse', () => this.run(), shutdown);
  }

  @Interval(pauseMs)
  tick(): Promise<void> {
    return this.task.tick();
  }

  /** One round. What fails comes again later; the others are not held up by it. */
  async run(): Promise<void> {
    const due = await this.blocks.due(batchMax);
    await Promise.all(due.map((block) => this.ask(block)));
    if (performance.now() - this.sparesAtMs < spareEveryMs) return;
    this.sparesAtMs = performance.now();
    for (const skuId of await this.blocks.maybeSpare(batchMax)) await this.database.transaction((tx) => this.blocks.giveBackSpare(tx, skuId));
  }

  private async ask(block: WarehouseBlock): Promise<void> {
    let units: number;
    try {
      units = await this.client.carryOut(block);
    } catch (error) {
      if (!(error instanceof InfrastructureError)) throw error;
      this.logger.warn({ operationId: block.operationId, skuId: block.skuId, attempts: block.attempts + 1 }, errorText(error));
      return this.blocks.later(block, errorText(error));
    }
    if (units < block.units) this.logger.warn({ skuId: block.skuId, wanted: block.units, units }, 'the warehouse has less than the sales promise');
    await this.blocks.settle(block, units);
  }
}
