import { createLogger, gaugeFrom, Shutdown } from '@floodgate/platform';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { StockGaugeStore } from '../gauges/stock-gauge.store.js';
import { SoloTask } from '../schedule/solo-task.js';
import { AuditSale } from './audit-sale.js';
import { driftKinds, type Drift } from './compare.js';

const everyMs = 30_000;
/** Reading every order of a sale is work for Redis and Postgres too: the job rests nine times as long as it has worked. */
const restShare = 9;

const driftCount = gaugeFrom('floodgate_drift', 'Where Redis and Postgres differ in live sales and nothing is under way, by the way in which they do.', 'kind');
const driftOldest = gaugeFrom('floodgate_drift_oldest_seconds', 'How long the oldest of these differences has been seen.');
const driftUnread = gaugeFrom('floodgate_drift_sales_unread', 'Live sales of which the last comparison could say nothing, because records could not be read or something was under way.');

/** Holds Redis against Postgres for every live sale, all the time, with the comparison that the audit makes. It mends nothing. */
@Injectable()
export class DriftJob implements OnModuleDestroy {
  private readonly log = createLogger('drift');
  private readonly task: SoloTask;
  /** Each difference that stands, and since when it has been seen (`performance.now()`). */
  private seen = new Map<string, Drift & { sinceMs: number }>();
  private unread = 0;
  private restUntilMs = 0;
  private stopping = false;

  constructor(private readonly audit: AuditSale, private readonly sales: StockGaugeStore, shutdown: Shutdown) {
    // A service that stops does not wait for a whole round, only for the sale under way.
    shutdown.onDrain('drift', async () => { this.stopping = true; });
    this.task = new SoloTask('drift-job', () => this.run(), shutdown);
    driftCount.read = () => driftKinds.map((kind) => [{ kind }, [...this.seen.values()].filter((one) => one.kind === kind).length]);
    driftOldest.read = () => [[{}, this.seen.size === 0 ? 0 : (performance.now() - Math.min(...[...this.seen.values()].map(({ sinceMs }) => sinceMs))) / 1_000]];
    driftUnread.read = () => [[{}, this.unread]];
  }

  @Interval(everyMs)
  async tick(): Promise<void> {
    if (performance.now() >= this.restUntilMs) await this.task.tick();
  }

  onModuleDestroy(): Promise<void> {
    return this.task.stop();
  }

  private async run(): Promise<void> {
    const startedMs = performance.now();
    const seen: typeof this.seen = new Map();
    let unread = 0;
    for (const { saleId } of await this.sales.liveSales()) {
      if (this.stopping) return;
      const inspected = await this.audit.inspect(saleId, false);
      if (!inspected) continue;
      const { records, result, stable } = inspected;
      const known = stable && result.settling === 0 && records.redis !== 'unreachable' && records.messages !== 'unreachable';
      if (!known) unread++;
      // While something is under way a difference may be that; one that was there before it is not forgotten over it.
      for (const drift of result.differences) {
        const before = this.seen.get(`${saleId} ${drift.text}`);
        if (known || before) seen.set(`${saleId} ${drift.text}`, before ?? { ...drift, sinceMs: performance.now() });
        if (known && !before) this.log.warn({ saleId, kind: drift.kind }, `Redis and Postgres differ: ${drift.text}`);
      }
    }
    this.seen = seen;
    this.unread = unread;
    this.restUntilMs = performance.now() + restShare * (performance.now() - startedMs);
  }
}
