import { metrics, Shutdown } from '@floodgate/platform';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Gauge } from 'prom-client';
import { SoloTask } from '../schedule/solo-task.js';
import { stuckKinds, StuckSagaStore } from './stuck-saga.store.js';

const everyMs = 5_000;

const countGauge = new Gauge({ name: 'floodgate_sagas_stuck', help: 'Orders that wait between the steps of their saga, by what for.', labelNames: ['kind'], registers: [metrics] });
const oldestGauge = new Gauge({ name: 'floodgate_saga_stuck_oldest_seconds', help: 'How long the oldest of them has waited.', labelNames: ['kind'], registers: [metrics] });

/** Shows what is stuck to whoever watches: a compensation is tried for ever, and nobody may find out by accident that it is in vain. */
@Injectable()
export class StuckSagaGauge implements OnModuleDestroy {
  private readonly task: SoloTask;

  constructor(private readonly sagas: StuckSagaStore, shutdown: Shutdown) {
    this.task = new SoloTask('stuck-saga-gauge', () => this.measure(), shutdown);
  }

  @Interval(everyMs)
  tick(): Promise<void> {
    return this.task.tick();
  }

  onModuleDestroy(): Promise<void> {
    return this.task.stop();
  }

  private async measure(): Promise<void> {
    const tally = new Map((await this.sagas.tally()).map((one) => [one.kind, one]));
    for (const kind of stuckKinds) {
      countGauge.set({ kind }, tally.get(kind)?.count ?? 0);
      oldestGauge.set({ kind }, tally.get(kind)?.oldestSeconds ?? 0);
    }
  }
}
