import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { playScenario } from '../../tools/src/scenario/play.js';
import { Api } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { startPlatform, type Platform } from '../support/platform.js';

/** Every process that is ours to write and therefore may die at any moment. */
const processes = ['gateway', 'promotion', 'seckill', 'order', 'notification', 'sandbox-payment'] as const;

describe('promise: a process that dies in the middle of a sale costs nobody anything', () => {
  let platform: Platform;
  const folder = mkdtempSync(path.join(os.tmpdir(), 'floodgate-kills-'));
  beforeAll(async () => {
    platform = await startPlatform();
  });
  afterAll(async () => {
    await platform?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const pidOf = (name: string): number => {
    const { services, sandboxPayment } = platform.run;
    return name === 'sandbox-payment' ? sandboxPayment.pid : services.find((service) => service.name === name)!.pid;
  };

  /** The moment when reservations are being accepted: the middle of the rush. Sales of the tests before may still be open. */
  async function waitForTheRush(startedAtMs: number, signal: AbortSignal): Promise<void> {
    const api = new Api(platform.run);
    await eventually(async () => {
      signal.throwIfAborted();
      const { items } = (await api.call('GET', '/v1/sales?limit=100')).body;
      const open = items.find((sale: any) => sale.state === 'OPEN' && Date.parse(sale.opensAt) > startedAtMs && /first.week/i.test(sale.title));
      const sale = (await api.call('GET', `/v1/sales/${open.id}`)).body;
      expect(sale.items.filter((item: any) => item.remaining < item.quota).length).toBeGreaterThan(300);
    }, { timeoutMs: 60_000 });
  }

  it.each(processes)('first-week ends clean although %s was killed in the middle', async (name) => {
    const report = path.join(folder, `${name}.json`);
    const lines: string[] = [];
    const abort = new AbortController();
    const playing = playScenario({ name: 'first-week', run: platform.run, reportFile: report, signal: abort.signal, note: (line) => lines.push(line) });
    const victim = pidOf(name);
    const killing = waitForTheRush(Date.now(), abort.signal).then(() => process.kill(victim, 'SIGKILL'));
    try {
      const { verdict } = await playing;
      await killing;
      expect(pidOf(name)).not.toBe(victim);
      expect({ verdict, report: JSON.parse(readFileSync(report, 'utf8')) }).toMatchObject({ verdict: 'clean', report: { verdict: 'clean', oversold: 0, lost: 0, duplicated: 0, unexplained: 0 } });
    } catch (error) {
      throw new Error(`killed ${name}:\n${lines.slice(-40).join('\n')}`, { cause: error });
    } finally {
      abort.abort();
    }
  }, 240_000);
});
