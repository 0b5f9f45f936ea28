import { randomBytes } from 'node:crypto';
import { View, type SettlementView } from '@floodgate/contracts';
import { createLogger, errorText, isoTime, metrics, Shutdown } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { Counter, Gauge } from 'prom-client';
import { ProviderUnavailableError, type PaymentProvider, type Span } from '../payment-provider/payment-provider.js';
import { SettlementComparison } from './settlement.comparison.js';
import { SettlementStore, type DifferencePlace } from './settlement.store.js';

const differencesGauge = new Gauge({ name: 'floodgate_settlement_differences', help: 'Differences that the last comparison with a provider found.', labelNames: ['provider', 'kind'], registers: [metrics] });
const settlementsCounter = new Counter({ name: 'floodgate_settlements_total', help: 'Comparisons with a provider by what they came to.', labelNames: ['provider', 'state'], registers: [metrics] });
const dayMs = 86_400_000;

/** Runs comparisons, each to its end in the background, and says how they stand. */
@Injectable()
export class SettlementDesk {
  private readonly log = createLogger('settlement');
  private readonly running = new Map<string, Promise<void>>();

  constructor(private readonly settlements: SettlementStore, private readonly comparison: SettlementComparison, shutdown: Shutdown) {
    shutdown.onDrain('settlement', async () => void (await Promise.all(this.running.values())));
  }

  /** Begins a comparison of a day (`YYYY-MM-DD`, UTC) or, with null, of all time. @returns its id */
  async ask(provider: PaymentProvider, day: string | null): Promise<string> {
    const id = newId();
    await this.settlements.begin(id, provider.name, day);
    this.start(id, provider, day);
    return id;
  }

  /** Runs the daily comparison of a day unless it is done, or under way somewhere. */
  async daily(provider: PaymentProvider, day: string): Promise<void> {
    const id = newId();
    if (!(await this.settlements.beginDaily(id, provider.name, day))) return;
    this.start(id, provider, day);
    await this.running.get(id);
  }

  /** Resolves when the comparison has ended, or after `timeoutMs`. */
  async wait(id: string, timeoutMs: number): Promise<void> {
    await Promise.race([this.running.get(id), new Promise((resolve) => { setTimeout(resolve, timeoutMs).unref(); })]);
  }

  /** Null: no such comparison. `after` is the last difference of the page before. */
  async view(provider: string, id: string, after: DifferencePlace, limit: number): Promise<Omit<SettlementView, 'nextCursor'> | null> {
    const row = await this.settlements.find(provider, id);
    if (!row) return null;
    const { day, state, problem, there, here, startedAt, finishedAt } = row;
    return {
      id, provider, day, state, problem, startedAt: isoTime(startedAt.getTime()), finishedAt: finishedAt && isoTime(finishedAt.getTime()), payments: { there, here },
      counts: await this.settlements.counts(id), differences: await this.settlements.differences(id, after, limit),
    };
  }

  private start(id: string, provider: PaymentProvider, day: string | null): void {
    const run = this.run(id, provider, day).catch((error: unknown) => this.log.error({ err: error, id }, 'a comparison could not be ended'));
    this.running.set(id, run);
    void run.finally(() => this.running.delete(id));
  }

  private async run(id: string, provider: PaymentProvider, day: string | null): Promise<void> {
    try {
      await this.settlements.finish(id, await this.comparison.run(id, provider, spanOf(day)), null);
    } catch (error) {
      const away = error instanceof ProviderUnavailableError;
      if (!away) this.log.error({ err: error, id }, 'a comparison broke off');
      await this.settlements.finish(id, { there: 0, here: 0 }, away ? error.message : errorText(error));
    }
    const row = await this.settlements.find(provider.name, id);
    const counts = await this.settlements.counts(id);
    const state = row?.state ?? 'unknown';
    settlementsCounter.inc({ provider: provider.name, state });
    if (state !== 'unknown') for (const kind of View.settlementDifferenceKinds) differencesGauge.set({ provider: provider.name, kind }, counts[kind] ?? 0);
    this.log[state === 'equal' ? 'info' : 'warn']({ id, provider: provider.name, day, state, counts, there: row?.there, here: row?.here, problem: row?.problem }, 'the provider\'s book was compared with ours');
  }
}

const newId = (): string => `set-${randomBytes(12).toString('base64url')}`;

function spanOf(day: string | null): Span {
  if (day === null) return { fromMs: 0, untilMs: Date.UTC(9999, 0, 1) };
  const fromMs = Date.parse(`${day}T00:00:00.000Z`);
  return { fromMs, untilMs: fromMs + dayMs };
}
