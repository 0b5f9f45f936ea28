import { createLogger, errorText, metrics, Shutdown } from '@floodgate/platform';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Gauge } from 'prom-client';
import { SoloTask } from '../schedule/solo-task.js';
import { CodeClaimStore, type CodeClaim } from './code-claim.store.js';
import { CodeDispenser } from './code-dispenser.js';
import { IssueCodes, type ClaimOutcome } from './issue-codes.js';

const batchMax = 256;
/** Longer than a batch can take with pools to load; after a crash somebody else takes over then. */
const leaseSeconds = 30;
const backoffMaxSeconds = 10;

const waitingGauge = new Gauge({ name: 'floodgate_code_claims_waiting', help: 'Paid orders that wait for their codes.', registers: [metrics] });
const oldestGauge = new Gauge({ name: 'floodgate_code_claim_oldest_seconds', help: 'How long the oldest of them has waited.', registers: [metrics] });

/** The saga after `issue codes`: every claim ends with codes, or with a refund. Retried forward until it does. */
@Injectable()
export class CodeIssuer implements OnModuleDestroy {
  private readonly log = createLogger('code-issuer');
  private readonly task: SoloTask;

  constructor(private readonly claims: CodeClaimStore, private readonly dispenser: CodeDispenser, private readonly issueCodes: IssueCodes, shutdown: Shutdown) {
    this.task = new SoloTask('code-issuer', () => this.run(), shutdown);
  }

  @Interval(250)
  tick(): Promise<void> {
    return this.task.tick();
  }

  onModuleDestroy(): Promise<void> {
    return this.task.stop();
  }

  private async run(): Promise<void> {
    for (let more = true; more;) {
      const due = await this.claims.takeDue(batchMax, leaseSeconds);
      for (const [saleId, group] of Map.groupBy(due, (claim) => claim.saleId)) await this.issue(saleId, group);
      more = due.length === batchMax;
    }
    const { count, oldestSeconds } = await this.claims.waiting();
    waitingGauge.set(count);
    oldestGauge.set(oldestSeconds);
  }

  private async issue(saleId: string, claims: readonly CodeClaim[]): Promise<void> {
    try {
      const dispensed = await this.dispenser.take(saleId, claims);
      await this.afterwards(saleId, claims, await this.issueCodes.commit(saleId, claims, dispensed));
    } catch (error) {
      const delaySeconds = Math.min(backoffMaxSeconds, 2 ** Math.min(Math.max(...claims.map(({ attempts }) => attempts)), 10) / 4);
      this.log.warn({ saleId, orders: claims.length, delaySeconds, problem: errorText(error) }, 'codes could not be issued, trying again');
      await this.claims.putOff(saleId, claims.map(({ rid }) => rid), delaySeconds);
    }
  }

  /** Redis is told what Postgres has decided. Where that gets lost, a pool that runs short is filled anew. */
  private async afterwards(saleId: string, claims: readonly CodeClaim[], outcomes: ReadonlyMap<string, ClaimOutcome>): Promise<void> {
    const those = (...wanted: ClaimOutcome[]) => claims.filter(({ rid }) => wanted.includes(outcomes.get(rid)!));
    const settled = [...those('issued', 'owned').map((claim) => ({ ...claim, what: 'forget' as const })), ...those('void').map((claim) => ({ ...claim, what: 'return' as const }))];
    if (settled.length > 0) await this.dispenser.settle(saleId, settled);
    const again = those('owned', 'behind', 'later');
    if (again.length === 0) return;
    const wrong = new Set(those('owned', 'behind').flatMap(({ items }) => items.map(({ itemId }) => itemId)));
    for (const itemId of wrong) {
      this.log.warn({ saleId, itemId }, 'Redis and Postgres differ on which codes are free: its pool is filled anew');
      await this.dispenser.refill(saleId, itemId);
    }
    await this.claims.putOff(saleId, again.map(({ rid }) => rid), 0);
  }
}
