import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { z } from 'zod';

import { exportSale, prepareFolder } from '../audit/export-sale.js';
import { loadToolsConfig, repositoryRoot } from '../config.js';
import { floodgateDir, runFilePath } from '../supervisor/clone-platform.js';
import { Ownership } from '../supervisor/ownership.js';
import { readRunFile } from '../supervisor/run-file.js';
import { formatAudit, type Audit } from './audit-table.js';
import { auditorToken } from './staff-token.js';
import type { CommandContext } from './command.js';

const problem = z.object({ code: z.string(), detail: z.string().optional() });
const answerWithinMs = 60_000;
const usage = 'npm run audit -- SALE_ID | export SALE_ID [--out DIR] | verify DIR [--earlier CERTIFICATE]';

/** What `npm run audit` was asked for. */
export type Wanted =
  | { verb: 'verdict'; saleId: string }
  | { verb: 'export'; saleId: string; out: string }
  | { verb: 'verify'; dir: string; earlier: string | null };

/** The verdict of one sale, from the records alone; or its records with a certificate; or whether such records hold together. Exit 0 only if all is well. */
export async function auditCommand({ args, note }: CommandContext): Promise<number> {
  const wanted = readArguments(args);
  const from = loadToolsConfig().INIT_CWD ?? process.cwd(); // npm runs us at the top of the clone, the caller may sit elsewhere
  if (wanted.verb === 'verify') return verify(path.resolve(from, wanted.dir), wanted.earlier && path.resolve(from, wanted.earlier));
  const run = new Ownership(floodgateDir()).current() ? readRunFile(runFilePath()) : null;
  if (!run) throw new Error('the platform is not up: start it with `npm run up`, then ask again');
  const ask = (what: string) => askGateway(run, wanted.saleId, what);
  if (wanted.verb === 'export') {
    const dir = path.resolve(from, wanted.out);
    prepareFolder(dir);
    const { files } = await exportSale((cursor) => ask(cursor === null ? 'export' : `export?cursor=${encodeURIComponent(cursor)}`), dir);
    note(`${Object.entries(files).map(([name, { lines }]) => `${name}: ${lines} lines`).join(', ')}, and certificate.json in ${dir}`);
    note(`verify it anywhere: node verify.mjs ${wanted.out} (the program is tools/verify.mjs)`);
    return 0;
  }
  const audit = (await ask('audit')) as Audit;
  for (const line of formatAudit(audit)) note(line);
  return audit.verdict === 'clean' ? 0 : 1;
}

/** @throws one sentence about what is wrong with the arguments */
export function readArguments(args: readonly string[]): Wanted {
  const [first = '', second = '', option = '', value = '', ...rest] = args;
  const isName = (text: string): boolean => text !== '' && !text.startsWith('-');
  const [name = '', inline] = option.split('=', 2);
  const given = inline ?? value;
  const isOption = (wanted: string): boolean => option === '' || (name === wanted && isName(given) && rest.length === 0 && (inline === undefined || value === ''));
  if (first === 'export' && isName(second) && isOption('--out')) return { verb: 'export', saleId: second, out: option === '' ? `audit-${second}` : given };
  if (first === 'verify' && isName(second) && isOption('--earlier')) return { verb: 'verify', dir: second, earlier: option === '' ? null : given };
  if (isName(first) && first !== 'export' && first !== 'verify' && second === '') return { verb: 'verdict', saleId: first };
  throw new Error(`say what: ${usage}`);
}

async function askGateway(run: { gatewayUrl: string; jwtSecret: string }, saleId: string, what: string): Promise<unknown> {
  const response = await fetch(`${run.gatewayUrl}/v1/admin/sales/${encodeURIComponent(saleId)}/${what}`, {
    headers: { authorization: `Bearer ${auditorToken(run.jwtSecret)}` },
    signal: AbortSignal.timeout(answerWithinMs),
  });
  const body: unknown = await response.json();
  if (response.status === 200) return body;
  const refused = problem.safeParse(body);
  const why = refused.success ? `${refused.data.code}${refused.data.detail ? `, ${refused.data.detail}` : ''}` : 'no reason given';
  throw new Error(`the gateway does not audit ${saleId}: ${response.status} ${why}`);
}

/** The very program that somebody else runs elsewhere, as they run it. */
async function verify(dir: string, earlier: string | null): Promise<number> {
  const program = path.join(repositoryRoot(), 'tools', 'verify.mjs');
  const child = spawn(process.execPath, [program, dir, ...(earlier === null ? [] : ['--earlier', earlier])], { stdio: 'inherit', env: {} });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 2;
}
