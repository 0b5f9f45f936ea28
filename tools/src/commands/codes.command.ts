import { CodeDrill } from '../codes/drill.js';
import { makeCodes } from '../codes/make-codes.js';
import { sendCodes } from '../codes/send-codes.js';
import { floodgateDir, runFilePath } from '../supervisor/clone-platform.js';
import { Ownership } from '../supervisor/ownership.js';
import { readRunFile, type RunFile } from '../supervisor/run-file.js';
import type { CommandContext } from './command.js';

const usage = 'npm run codes -- import SALE_ID ITEM_ID FILE | generate COUNT FILE | drill ORDERS CODES [--wipe-redis]';
const progressEveryMs = 1_000;

/** What `npm run codes` was asked for. */
export type Wanted =
  | { verb: 'import'; saleId: string; itemId: string; file: string }
  | { verb: 'generate'; count: number; file: string }
  | { verb: 'drill'; orders: number; codes: number; wipeRedis: boolean };

/**
 * Redemption codes of the running platform: a file of them taken in, a file of them made up, or a drill: more paid orders than codes,
 * with Redis wiped half-way. Exit 0 only if all went as it should.
 */
export async function codesCommand({ args, note }: CommandContext): Promise<number> {
  const wanted = readArguments(args);
  if (wanted.verb === 'generate') {
    await makeCodes(wanted.count, wanted.file);
    note(`${wanted.count} codes in ${wanted.file}`);
    return 0;
  }
  const run = new Ownership(floodgateDir()).current() ? readRunFile(runFilePath()) : null;
  if (!run) throw new Error('the platform is not up: start it with `npm run up`, then try again');
  return wanted.verb === 'import' ? importFile(run, wanted, note) : drill(run, wanted, note);
}

/** @throws one sentence about what is wrong with the arguments */
export function readArguments(args: readonly string[]): Wanted {
  const [verb, first = '', second = '', third = '', ...rest] = args;
  const number = (text: string): number => (/^[1-9]\d{0,8}$/.test(text) ? Number(text) : NaN);
  if (verb === 'import' && third !== '' && rest.length === 0) return { verb, saleId: first, itemId: second, file: third };
  if (verb === 'generate' && number(first) > 0 && second !== '' && third === '') return { verb, count: number(first), file: second };
  if (verb === 'drill' && number(first) > 0 && number(second) > 0 && (third === '' || third === '--wipe-redis') && rest.length === 0) {
    return { verb, orders: number(first), codes: number(second), wipeRedis: third !== '' };
  }
  throw new Error(`say what: ${usage}`);
}

async function importFile(run: RunFile, { saleId, itemId, file }: Extract<Wanted, { verb: 'import' }>, note: (line: string) => void): Promise<number> {
  const startedAt = performance.now();
  let saidAt = startedAt;
  const result = await sendCodes(run, saleId, itemId, file, (share, bytes) => {
    const now = performance.now();
    if (now - saidAt < progressEveryMs) return;
    saidAt = now;
    const seconds = (now - startedAt) / 1_000;
    note(`${Math.floor(share * 100)} % taken in, ${(bytes / 2 ** 20).toFixed(1)} MB, ${seconds.toFixed(0)} s gone, about ${((seconds * (1 - share)) / share).toFixed(0)} s to go`);
  });
  for (const { line, message } of result.errors) note(`line ${line}: ${message}`);
  if (result.invalid > result.errors.length) note(`and ${result.invalid - result.errors.length} lines more`);
  note(`${result.received} received: ${result.added} added, ${result.duplicates} duplicates, ${result.invalid} invalid; ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
  return result.invalid === 0 ? 0 : 1;
}

async function drill(run: RunFile, plan: Extract<Wanted, { verb: 'drill' }>, note: (line: string) => void): Promise<number> {
  const result = await new CodeDrill(run, note).play(plan);
  for (const finding of result.findings) note(finding);
  note(`${result.orders} paid orders for ${result.codes} codes: ${result.fulfilled} hold one each, ${result.twice} shown twice, ${result.outOfInventory} out of inventory, ${result.payments.refunded} refunded, ${result.other} otherwise`);
  note(`verdict: ${result.verdict}`);
  const short = Math.max(0, plan.orders - plan.codes);
  const right = result.verdict === 'clean' && result.fulfilled === plan.orders - short && result.outOfInventory === short && result.payments.refunded === short && result.twice + result.invented + result.other === 0;
  return right ? 0 : 1;
}
