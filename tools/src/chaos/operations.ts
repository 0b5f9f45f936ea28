import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';

import { codeOf, type Answer, type Call } from '../scenario/http-client.js';

/** Everything that somebody asks for in a run. `replay`: a reservation asked for again, and answered as before. */
export const operationNames = ['entry', 'reserve', 'replay', 'cancel', 'pay', 'click', 'status', 'pause', 'resume', 'stock', 'close', 'withdraw', 'other'] as const;
export type OperationName = (typeof operationNames)[number];

/** `ok`: done. `fail`: refused, or it never left. `unknown`: it may have happened. */
export type OperationResult = 'ok' | 'fail' | 'unknown';
export type OperationCounts = Record<OperationName, Record<OperationResult, number>>;

/** Answers that say for certain that nothing happened, though their status is above 499. */
const surelyNothing = new Set(['OVERLOADED', 'UNAVAILABLE']);

const routes: readonly [RegExp, OperationName][] = [
  [/^POST \/v1\/sales\/[^/]+\/entry-token$/, 'entry'],
  [/^POST \/v1\/sales\/[^/]+\/reservations$/, 'reserve'],
  [/^POST \/v1\/orders\/[^/]+\/cancel$/, 'cancel'],
  [/^POST \/v1\/orders\/[^/]+\/payments$/, 'pay'],
  [/^GET \/v1\/(?:reservations|orders)\/[^/]+$/, 'status'],
  [/^POST \/v1\/admin\/sales\/[^/]+\/pause$/, 'pause'],
  [/^POST \/v1\/admin\/sales\/[^/]+\/resume$/, 'resume'],
  [/^POST \/v1\/admin\/sales\/[^/]+\/close$/, 'close'],
  [/^POST \/v1\/admin\/sales\/[^/]+\/withdraw$/, 'withdraw'],
  [/^POST \/v1\/admin\/sales\/[^/]+\/items\/[^/]+\/stock$/, 'stock'],
  [/^[A-Z]+ \/v1\//, 'other'],
  [/^POST /, 'click'], // The provider's pages are the only others.
];

/** What was asked, by its route and answer. */
export function operationOf({ method, path }: Call, answer: Answer): OperationName {
  const name = routes.find(([route]) => route.test(`${method} ${path.split('?')[0]!}`))?.[1] ?? 'other';
  return name === 'reserve' && answer.kind === 'answered' && answer.replayed ? 'replay' : name;
}

export function resultOf(answer: Answer): OperationResult {
  if (answer.kind === 'lost') return answer.reached === 'no' ? 'fail' : 'unknown';
  if (answer.status < 400) return 'ok';
  return answer.status >= 500 && !surelyNothing.has(codeOf(answer)) ? 'unknown' : 'fail';
}

/** Counts every operation of a run, and writes each down as a line of JSON where a file is given. */
export class Operations {
  readonly counts: OperationCounts = Object.fromEntries(operationNames.map((name) => [name, { ok: 0, fail: 0, unknown: 0 }])) as OperationCounts;
  private readonly out: WriteStream | null;

  constructor(file?: string) {
    this.out = file === undefined ? null : createWriteStream(file);
  }

  /** A listener for every client of the run. */
  readonly heard = (call: Call, answer: Answer): void => {
    const operation = operationOf(call, answer);
    const result = resultOf(answer);
    this.counts[operation][result]++;
    const word = answer.kind === 'lost' ? answer.why : answer.status < 400 ? String(answer.status) : codeOf(answer);
    this.out?.write(`${JSON.stringify({ atMs: answer.sentAtMs, ms: Date.now() - answer.sentAtMs, operation, result, word, path: call.path, ...(call.key === undefined ? {} : { key: call.key }) })}\n`);
  };

  total(result?: OperationResult): number {
    return Object.values(this.counts).reduce((sum, one) => sum + (result === undefined ? one.ok + one.fail + one.unknown : one[result]), 0);
  }

  async close(): Promise<void> {
    if (!this.out) return;
    this.out.end();
    await finished(this.out);
  }
}
