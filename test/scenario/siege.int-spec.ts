import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { afterAll, describe, expect, it } from '@jest/globals';

import { PretendPlatform, type Trouble } from '../support/pretend-platform.js';
import { play } from '../../tools/src/scenario/play.js';
import type { Report } from '../../tools/src/scenario/report.js';
import { loadScenario, type SiegeRules } from '../../tools/src/scenario/scenario-file.js';

/** The real scenario with fewer people, against a platform that answers from memory. How long anything takes here says nothing, so it is not judged. */
function smallSiege(rules: Partial<SiegeRules>): Parameters<typeof play>[0] {
  const { scenario, csv } = loadScenario('bots');
  return {
    csv,
    scenario: {
      ...scenario,
      sale: { ...scenario.sale, opensInSeconds: 3, perIp: 2 },
      stock: { rule: 'most-wanted', items: 1, unitsEach: 60, perAccount: 2 },
      attempts: { rule: 'everybody', buyers: 20, keysEach: 1, seconds: 4, sameKeyAgain: { share: 0.2, afterMs: [10, 100] } },
      fates: { pay: 1, lapse: 0, cancel: 0, decline: 0 },
      manners: { ...scenario.manners, thinkMs: [10, 100], eventsShare: 1 },
      siege: { ...scenario.siege!, rounds: 1, timesTraffic: 5, within: 0.4, p99TimesMax: 1e9, accounts: 5, hoarders: 4, switches: { 'limits.ip.burst': 77 }, ...rules },
    },
  };
}

describe('a siege, against a platform in memory', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'floodgate-siege-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function besiege(trouble: Trouble, rules: Partial<SiegeRules> = {}): Promise<{ verdict: string; report: Report; lines: string; findings: string; switched: [string, unknown][] }> {
    const platform = new PretendPlatform(trouble);
    const gatewayUrl = await platform.start();
    const lines: string[] = [];
    const reportFile = path.join(folder, 'report.json');
    const server = { url: '', pid: null };
    try {
      const { verdict } = await play(smallSiege(rules), {
        name: 'small', reportFile, signal: new AbortController().signal, note: (line) => lines.push(line),
        run: { gatewayUrl, supervisorPid: 0, services: [], redis: server, rabbitmq: server, postgres: server, jwtSecret: 'secret', sandboxPayment: { url: '', pid: 0, webhookSecret: '' } },
      });
      const report = JSON.parse(readFileSync(reportFile, 'utf8')) as Report;
      return { verdict, report, lines: lines.join('\n'), findings: report.details.findings.join('\n'), switched: platform.switched };
    } finally {
      await platform.stop();
    }
  }

  it('finds one that holds clean, shows what was tried, and sets the switches back', async () => {
    const { verdict, report, lines, findings, switched } = await besiege({});
    expect({ verdict, findings }).toEqual({ verdict: 'clean', findings: '' });
    const { sales, answers, timesTraffic } = report.details.siege!;
    expect(sales.map(({ besieged }) => besieged)).toEqual([false, true]);
    expect(sales[1]!.botsRequests).toBeGreaterThanOrEqual(5 * sales[1]!.buyersRequests);
    expect(timesTraffic.least).toBeGreaterThanOrEqual(5);
    // Two hoarders with two units each, and two in one /64 with two units together.
    expect([sales[1]!.hoarded, sales[1]!.ofNetwork]).toEqual([6, 2]);
    expect(Object.keys(answers).sort()).toEqual(['forged-entry', 'forged-jwt', 'hammer', 'hoarder', 'no-work', 'stolen-entry', 'stolen-key']);
    for (const [kind, word] of [['hammer', 'SALE_NOT_OPEN'], ['no-work', 'CHALLENGE_FAILED'], ['forged-entry', 'ENTRY_TOKEN_INVALID'], ['stolen-entry', 'ENTRY_TOKEN_INVALID'], ['forged-jwt', 'UNAUTHENTICATED'], ['stolen-key', 'ENTRY_TOKEN_INVALID'], ['hoarder', 'LIMIT_REACHED']] as const) {
      expect(answers[kind]![word]).toBeGreaterThan(0);
    }
    expect(report.orders.paid).toBe(46);
    expect(lines).toMatch(/besieged +p50 .* of bots/);
    expect(switched).toEqual([['limits.ip.burst', 77], ['limits.ip.burst', 0]]);
  });

  it.each([
    ['that lets bots in without work', { lie: 'open-door' }, {}, 'broken', /bots: sale S, no-work: bot-.* was answered 200/],
    ['that counts units by the single address', { lie: 'wide-network' }, {}, 'broken', /one \/64 has 4 units, the limit is 2/],
    ['that keeps buyers waiting', {}, { p99TimesMax: 1e-9 }, 'broken', /slow: the buyers' p99/],
    ['that was not really besieged', {}, { timesTraffic: 1e6 }, 'unknown', /unknown: this machine sent only/],
  ] as const)('does not find one clean %s', async (_, trouble, rules, word, finding) => {
    const { verdict, findings } = await besiege(trouble, rules);
    expect(findings).toMatch(finding);
    expect(verdict).toBe(word);
  });
});
