import { expect, it } from '@jest/globals';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { runChaos } from '../../tools/src/chaos/run-chaos.js';
import { floodgateDir } from '../../tools/src/supervisor/clone-platform.js';

/** A short run of `npm run chaos`: few buyers, a handful of faults and crash points, always the same. */
const short = { seed: 2, minutes: 0.6, perSecond: 5 };

it('promise: whatever breaks, the records agree with what buyers were told, and selling goes on', async () => {
  const stateDir = path.join(floodgateDir(), `test-${process.pid}-chaos`);
  const lines: string[] = [];
  const report = await runChaos({ ...short, stateDir, signal: new AbortController().signal, note: (line) => lines.push(line) });
  const { verdict, findings, classes, faults } = report;
  if (verdict !== 'valid') throw new Error(`${verdict}: ${findings.join('\n')}\n${lines.slice(-60).join('\n')}`);
  expect({ classes, findings }).toEqual({ classes: { lost: 0, unexpected: 0, duplicated: 0, takenBack: 0, wrong: 0 }, findings: [] });
  expect(faults).toBeGreaterThan(3);
  rmSync(stateDir, { recursive: true, force: true });
}, 900_000);
