import { readFileSync } from 'node:fs';
import path from 'node:path';

import { repositoryRoot } from '../config.js';
import type { FaultKind } from './evidence.js';
import { isUncertain, outcomeOf } from './history.js';
import type { Records } from './records.js';
import type { SiegeReport } from './siege-report.js';
import type { StagedSale, Stage } from './stage.js';
import type { Judgement, Verdict } from './verdict.js';

/** The report of a run; the contract of the commands fixes its fields. `details` is ours to extend. */
export interface Report extends Record<FaultKind, number> {
  verdict: Verdict;
  scenario: string;
  seed: number;
  sale: string;
  /** HTTP requests for reservations, retries included. */
  attempts: number;
  /** Keys that were answered 202. */
  accepted: number;
  /** Keys that ended with this code. */
  refused: Record<string, number>;
  /** Keys that had an answer (or a silence) which left it open whether they hold something, and those that learned it later. */
  unknown: { seen: number; resolved: number };
  orders: { paid: number; released: number; open: number };
  units: { quota: number; sold: number; available: number };
  latencyMs: { p50: number; p99: number };
  seconds: number;
  versions: Record<string, string>;
  details: {
    keys: number;
    /** Every answer to an attempt, by word, retries included. */
    answers: Record<string, number>;
    /** Released reservations and their units, by reason. */
    released: Record<string, { reservations: number; units: number }>;
    /** Units still held for open orders, and written off. */
    held: number;
    burned: number;
    redisEqualsPostgres: boolean | null;
    payments: { captured: number; refunded: number } | null;
    /** Answers 404 for reservations that exist: a nuisance to their buyers, though nothing is lost. */
    missing: number;
    /** The most attempts in one second: as the scenario wants them, and as they went out (the player has only so many connections). */
    peakPerSecond: { due: number; sent: number };
    /** Where bots came, too. */
    siege?: SiegeReport;
    findings: string[];
  };
}

export function makeReport(name: string, stage: Stage, sale: StagedSale, outcome: { records: Records; judgement: Judgement; startedAtMs: number }): Report {
  const { records, judgement, startedAtMs } = outcome;
  const keys = [...stage.attempts.values()].map((attempt) => ({ outcome: outcomeOf(attempt), doubted: attempt.exchanges.some(isUncertain) }));
  const doubted = keys.filter((key) => key.doubted);
  const items = records.audit?.items ?? [];
  const sum = (field: 'sold' | 'available' | 'held' | 'burned'): number => items.reduce((all, item) => all + item[field], 0);
  const payments = records.audit?.payments;
  return {
    verdict: judgement.verdict,
    scenario: name,
    seed: stage.plan.seed,
    sale: sale.id,
    attempts: stage.tally.attempts,
    accepted: keys.filter((key) => key.outcome.word === 'accepted').length,
    refused: count(keys.flatMap((key) => key.outcome.word === 'refused' ? key.outcome.code : [])),
    unknown: { seen: doubted.length, resolved: doubted.filter((key) => key.outcome.word !== 'unknown').length },
    orders: countOrders(stage, records),
    units: { quota: sale.items.reduce((all, item) => all + item.quota, 0), sold: sum('sold'), available: sum('available') },
    ...judgement.counts,
    latencyMs: { p50: stage.tally.latencyMs(50), p99: stage.tally.latencyMs(99) },
    seconds: Math.round((Date.now() - startedAtMs) / 100) / 10,
    versions: { floodgate: ownVersion(), node: process.versions.node },
    details: {
      keys: keys.length,
      answers: count([...stage.attempts.values()].flatMap((attempt) => attempt.exchanges.map((exchange) => exchange.word))),
      released: countReleased(records),
      held: sum('held'),
      burned: sum('burned'),
      redisEqualsPostgres: records.audit?.redisEqualsPostgres ?? null,
      payments: payments ? { captured: payments.captured, refunded: payments.refunded } : null,
      missing: [...stage.purchases.values()].reduce((all, purchase) => all + purchase.missing, 0),
      peakPerSecond: {
        due: peak(stage.plan.presses.map((press) => press.atMs)),
        sent: peak([...stage.attempts.values()].flatMap((attempt) => attempt.exchanges.map((exchange) => exchange.sentAtMs))),
      },
      findings: judgement.findings.slice(0, 200),
    },
  };
}

function countOrders(stage: Stage, { orders }: Records): Report['orders'] {
  // Without the platform's list, what the buyers saw last.
  const states = orders?.map((order) => order.state) ?? [...stage.purchases.values()].map((purchase) => purchase.shown.at(-1)?.state ?? 'QUEUED');
  const paid = states.filter((state) => state === 'PAID' || state === 'FULFILLED').length;
  const released = states.filter((state) => state === 'RELEASED').length;
  return { paid, released, open: states.length - paid - released };
}

function countReleased({ orders }: Records): Report['details']['released'] {
  const byReason: Report['details']['released'] = {};
  for (const order of orders ?? []) {
    if (order.state !== 'RELEASED') continue;
    const entry = (byReason[order.reason ?? 'without a reason'] ??= { reservations: 0, units: 0 });
    entry.reservations++;
    entry.units += order.items.reduce((all, item) => all + item.quantity, 0);
  }
  return byReason;
}

function count(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

/** The most in any whole second. */
function peak(momentsMs: readonly number[]): number {
  return Math.max(0, ...Object.values(count(momentsMs.map((ms) => String(Math.floor(ms / 1000))))));
}

function ownVersion(): string {
  return (JSON.parse(readFileSync(path.join(repositoryRoot(), 'package.json'), 'utf8')) as { version: string }).version;
}
