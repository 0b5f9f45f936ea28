import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { afterAll, describe, expect, it } from '@jest/globals';

import { PretendPlatform, type Trouble } from '../support/pretend-platform.js';
import type { Report } from '../../tools/src/scenario/report.js';
import { makePlan } from '../../tools/src/scenario/plan.js';
import { play } from '../../tools/src/scenario/play.js';
import { loadScenario } from '../../tools/src/scenario/scenario-file.js';

/** The first 150 lines of the real demand, in one second, against a platform that answers from memory. */
function smallScenario(trouble: Trouble): Parameters<typeof play>[0] {
  const { scenario, csv } = loadScenario('first-week');
  return {
    csv: csv.split('\n').slice(0, 151).join('\n'),
    scenario: {
      ...scenario,
      // Long enough for the busiest machine: nobody waits for its end but those who let it lapse (see `windows`).
      sale: { ...scenario.sale, opensInSeconds: 0.1, paymentWindowSeconds: 60 },
      attempts: { rule: 'replay-lines', seconds: 1, longestGapMinutes: 30, evenShare: 0.5, sameKeyAgain: { share: 0.3, afterMs: [50, 500] } },
      // Too many units are oversold only once they are paid for.
      fates: trouble.lie === 'oversell' ? { pay: 1, lapse: 0, cancel: 0, decline: 0 } : { pay: 0.7, lapse: 0.1, cancel: 0.1, decline: 0.1 },
      manners: { ...scenario.manners, thinkMs: [10, 300], eventsShare: 0.5 },
    },
  };
}

const seed = 3;

/** A short window for those who will let it lapse, which nobody else has to keep to: how a reservation ends must not hang on how fast this machine is. */
function windows(trouble: Trouble): (key: string) => number {
  const { scenario, csv } = smallScenario(trouble);
  const plan = makePlan(scenario, csv, seed);
  return (key) => plan.fateOf(key).name === 'lapse' ? 3_000 : 60_000;
}

describe('the player, against a platform in memory', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'floodgate-play-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function playAgainst(trouble: Trouble, signal = new AbortController().signal): Promise<{ verdict: string; report: Report; lines: string[]; history: string[] }> {
    const platform = new PretendPlatform({ windowMsOf: windows(trouble), ...trouble });
    const gatewayUrl = await platform.start();
    const lines: string[] = [];
    const [reportFile, historyFile] = [path.join(folder, 'report.json'), path.join(folder, 'history.ndjson')];
    const server = { url: '', pid: null };
    try {
      const { verdict } = await play(smallScenario(trouble), {
        name: 'small', seed, reportFile, historyFile, signal, note: (line) => lines.push(line),
        run: { gatewayUrl, supervisorPid: 0, services: [], redis: server, rabbitmq: server, postgres: server, jwtSecret: 'secret', sandboxPayment: { url: '', pid: 0, webhookSecret: '' } },
      });
      return { verdict, lines, report: JSON.parse(readFileSync(reportFile, 'utf8')) as Report, history: readFileSync(historyFile, 'utf8').trim().split('\n') };
    } finally {
      await platform.stop();
    }
  }

  it('finds an honest one clean, and reports it as the contract says', async () => {
    const { verdict, report, lines, history } = await playAgainst({});
    expect({ verdict, findings: report.details.findings }).toEqual({ verdict: 'clean', findings: [] });
    const { sold, available, quota } = report.units;
    expect(sold + available).toBe(quota);
    expect(report.orders.paid + report.orders.released).toBe(report.accepted);
    expect(report.accepted + Object.values(report.refused).reduce((sum, count) => sum + count, 0)).toBe(150);
    expect(report.attempts).toBeGreaterThan(150);
    expect(Object.keys(report.details.released).toSorted()).toEqual(['cancelled-by-buyer', 'payment-declined', 'payment-timeout']);
    expect(report.unknown).toEqual({ seen: 0, resolved: 0 });
    expect(Object.keys(report)).toEqual([
      'verdict', 'scenario', 'seed', 'sale', 'attempts', 'accepted', 'refused', 'unknown', 'orders', 'units', 'oversold', 'lost', 'duplicated', 'unexplained', 'latencyMs', 'seconds', 'versions', 'details',
    ]);
    expect(lines.join('\n')).toContain('CLEAN');
    expect(history.filter((line) => line.includes('"record":"attempt"'))).toHaveLength(150);
  });

  it('finds an honest one clean although answers get lost, and counts the unknown ones that resolved', async () => {
    const { verdict, report } = await playAgainst({ loseAnswers: 0.1, outcomeUnknown: 0.1, unavailable: 0.1 });
    expect({ verdict, findings: report.details.findings }).toEqual({ verdict: 'clean', findings: [] });
    expect(report.unknown.seen).toBeGreaterThan(20);
    expect(report.unknown.resolved).toBe(report.unknown.seen);
    expect(report.details.answers['UNAVAILABLE']).toBeGreaterThan(10);
  });

  it.each([['oversell', 'oversold'], ['forget-key', 'duplicated'], ['take-back', 'lost'], ['deny-sold-out', 'unexplained']] as const)(
    'finds one that lies (%s) broken, though its own audit is clean', async (lie, kind) => {
      const { verdict, report } = await playAgainst({ lie });
      expect(verdict).toBe('broken');
      expect(report[kind]).toBeGreaterThan(0);
    });

  it('ends early and says unknown when it is stopped', async () => {
    expect((await playAgainst({ unavailable: 1 }, AbortSignal.timeout(2_000))).verdict).toBe('unknown');
  });
});
