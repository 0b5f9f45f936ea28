import { z } from 'zod';

import { floodgateDir, runFilePath } from '../supervisor/clone-platform.js';
import { Ownership } from '../supervisor/ownership.js';
import { readRunFile } from '../supervisor/run-file.js';
import type { CommandContext } from './command.js';
import { staffToken } from './staff-token.js';

const usage = 'npm run reconcile -- SALE_ID [--list | --fix [--reason TEXT]] [--json]';
/** A comparison reads every order of a sale, and a mending compares again until it shows. */
const answerWithinMs = 70_000;

/** What `npm run reconcile` was asked for; `reason` null: change nothing. */
export interface Wanted {
  saleId: string;
  reason: string | null;
  json: boolean;
}

const differenceSchema = z.object({ kind: z.string(), lane: z.number().nullable(), subject: z.string(), redis: z.string(), postgres: z.string(), mend: z.string(), advice: z.string() });
const reconciliationSchema = z.object({
  saleId: z.string(), asOf: z.string(), settling: z.number(), mended: z.array(differenceSchema), differences: z.array(differenceSchema), more: z.number(),
});
export type Reconciliation = z.infer<typeof reconciliationSchema>;

/** Holds Redis against Postgres for one sale of the running platform. Exit 0: nothing differs, or all of it is mended; 1: differences are left; 2: nobody can say, or the arguments say nothing. */
export async function reconcileCommand({ args, note }: CommandContext): Promise<number> {
  try {
    const wanted = readArguments(args);
    const run = new Ownership(floodgateDir()).current() ? readRunFile(runFilePath()) : null;
    if (!run) throw new Error('the platform is not up: start it with `npm run up`, then ask again');
    const found = await ask(run, wanted);
    for (const line of wanted.json ? [JSON.stringify(found)] : formatReconciliation(found)) note(line);
    return found.differences.length + found.more === 0 ? 0 : 1;
  } catch (error) {
    note(`unknown: ${error instanceof Error ? error.message : String(error)}`);
    return 2;
  }
}

/** @throws one sentence about what is wrong with the arguments */
export function readArguments(args: readonly string[]): Wanted {
  const given = new Set<string>();
  let [saleId, reason] = ['', 'npm run reconcile --fix'];
  for (let at = 0; at < args.length; at++) {
    const [name = '', inline] = args[at]!.split(/=(.*)/s, 2);
    const what = name.startsWith('-') ? name : 'a sale';
    if (given.has(what)) throw new Error(`${what} stands there twice: ${usage}`);
    given.add(what);
    if (what === 'a sale') saleId = args[at]!;
    else if (name === '--reason') reason = inline ?? args[++at] ?? '';
    else if (!['--list', '--fix', '--json'].includes(name) || inline !== undefined) throw new Error(`${args[at]} is no option: ${usage}`);
  }
  if (saleId === '') throw new Error(`which sale? ${usage}`);
  const fix = given.has('--fix');
  if (fix && given.has('--list')) throw new Error(`either --list or --fix: ${usage}`);
  if (given.has('--reason') && (!fix || reason === '')) throw new Error(`--reason TEXT says why something is mended: ${usage}`);
  return { saleId, reason: fix ? reason : null, json: given.has('--json') };
}

/** One line per difference with what each side has, what was done or would be, then the sum. */
export function formatReconciliation({ saleId, asOf, settling, mended, differences, more }: Reconciliation): string[] {
  const line = (one: Reconciliation['differences'][number]): string =>
    `${one.kind}${one.lane === null ? '' : ` in lane ${one.lane}`}: ${one.subject}\n  Redis: ${one.redis}\n  Postgres: ${one.postgres}`;
  const left = differences.length + more;
  return [
    ...mended.map((one) => `mended by ${one.mend}: ${line(one)}`), ...differences.map((one) => `${line(one)}\n  ${one.mend}: ${one.advice}`),
    ...(more > 0 ? [`(${more} more)`] : []), ...(settling > 0 ? [`${settling} messages or acts are under way: a difference may end by itself`] : []),
    left === 0 ? `Redis equals Postgres in sale ${saleId} as of ${asOf}` : `Redis differs from Postgres in sale ${saleId} as of ${asOf}: ${left}`,
  ];
}

async function ask({ gatewayUrl, jwtSecret }: { gatewayUrl: string; jwtSecret: string }, { saleId, reason }: Wanted): Promise<Reconciliation> {
  const response = await fetch(`${gatewayUrl}/v1/admin/sales/${encodeURIComponent(saleId)}/reconciliation`, {
    headers: { authorization: `Bearer ${staffToken(jwtSecret, { sub: 'reconcile-command', role: 'operator' })}`, ...(reason === null ? {} : { 'content-type': 'application/json' }) },
    ...(reason === null ? {} : { method: 'POST', body: JSON.stringify({ reason }) }),
    signal: AbortSignal.timeout(answerWithinMs),
  });
  const body: unknown = await response.json();
  if (response.status === 200) return reconciliationSchema.parse(body);
  const { code = '', detail = '' } = body as { code?: string; detail?: string };
  throw new Error(`the gateway answered ${response.status} ${code}${detail ? `, ${detail}` : ''}`);
}
