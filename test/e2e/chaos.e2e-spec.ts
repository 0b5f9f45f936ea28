import { expect, it } from '@jest/globals';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { runChaos } from '../../tools/src/chaos/run-chaos.js';
import { floodgateDir } from '../../tools/src/supervisor/clone-platform.js';

/** A short run of `npm run chaos`: few buyers, a handful of faults and crash points, always the same. */
const short = { seed: 2, minutes: 1.2, perSecond: 5 };
/** Where many buyers pass, so that somebody passes soon on the slowest machine. */
const busy = /^(?:reserve|confirm|consume|outbox|place|sync|saga|sweep)\./;
/** What a few seconds are enough for. */
const brief = /^(?:process|redis|postgres|messages)-|^broker-(?:cut|mute|stall)$/;

it('promise: whatever breaks, the records agree with what buyers were told, and selling goes on', async () => {
  const stateDir = path.join(floodgateDir(), `test-${process.pid}-chaos`);
  const lines: string[] = [];
  const report = await runChaos({ ...short, only: ({ fault, point }) => (point === undefined ? brief.test(fault) : busy.test(point)), stateDir, signal: new AbortController().signal, note: (line) => lines.push(line) });
  const { verdict, findings, classes, faults } = report;
  if (verdict !== 'valid') throw new Error(`${verdict}: ${findings.join('\n')}\n${lines.slice(-60).join('\n')}`);
  expect({ classes, findings }).toEqual({ classes: { lost: 0, unexpected: 0, duplicated: 0, takenBack: 0, wrong: 0 }, findings: [] });
  expect(faults).toBeGreaterThan(3);
  rmSync(stateDir, { recursive: true, force: true });
}, 900_000);
