import { metrics, Shutdown } from '@floodgate/platform';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Gauge } from 'prom-client';
import { SoloTask } from '../schedule/solo-task.js';
import { SealStore, sealedAtOnceMax } from './seal.store.js';

/** Nobody waits for a seal: an export seals what is still open. */
const everyMs = 10_000;
const salesMax = 100;
/** Of one sale in one run, so that a sale which sells keeps no other waiting. */
const batchesMax = 20;

const unsealedGauge = new Gauge({ name: 'floodgate_ledger_unsealed_entries', help: 'Ledger entries of all sales that were not in a hash chain yet when the last run began.', registers: [metrics] });

/** Writes the hash chain of each sale behind the sale. */
@Injectable()
export class SealTimer implements OnModuleDestroy {
  private readonly task: SoloTask;

  constructor(private readonly seals: SealStore, shutdown: Shutdown) {
    this.task = new SoloTask('ledger-seal', () => this.run(), shutdown);
  }

  @Interval(everyMs)
  tick(): Promise<void> {
    return this.task.tick();
  }

  onModuleDestroy(): Promise<void> {
    return this.task.stop();
  }

  private async run(): Promise<void> {
    const sales = await this.seals.unsealed(salesMax);
    unsealedGauge.set(sales.reduce((sum, { entries }) => sum + entries, 0));
    for (const { saleId } of sales) {
      for (let batch = 1; batch <= batchesMax && (await this.seals.sealNext(saleId)) === sealedAtOnceMax;) batch++;
    }
  }
}
