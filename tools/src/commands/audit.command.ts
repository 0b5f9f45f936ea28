import { z } from 'zod';

import { floodgateDir, runFilePath } from '../supervisor/clone-platform.js';
import { Ownership } from '../supervisor/ownership.js';
import { readRunFile } from '../supervisor/run-file.js';
import { formatAudit, type Audit } from './audit-table.js';
import { auditorToken } from './auditor-token.js';
import type { CommandContext } from './command.js';

const problem = z.object({ code: z.string(), detail: z.string().optional() });
const answerWithinMs = 60_000;

/** Prints the verdict of one sale, from the records alone. Exit 0 only if it is clean. */
export async function auditCommand({ args, note }: CommandContext): Promise<number> {
  const [saleId, ...rest] = args;
  if (!saleId || rest.length > 0 || saleId.startsWith('-')) throw new Error('say which sale: npm run audit -- SALE_ID');
  const run = new Ownership(floodgateDir()).current() ? readRunFile(runFilePath()) : null;
  if (!run) throw new Error('the platform is not up: start it with `npm run up`, then ask again');

  const response = await fetch(`${run.gatewayUrl}/v1/admin/sales/${encodeURIComponent(saleId)}/audit`, {
    headers: { authorization: `Bearer ${auditorToken(run.jwtSecret)}` },
    signal: AbortSignal.timeout(answerWithinMs),
  });
  const body: unknown = await response.json();
  if (response.status !== 200) {
    const refused = problem.safeParse(body);
    const why = refused.success ? `${refused.data.code}${refused.data.detail ? `, ${refused.data.detail}` : ''}` : 'no reason given';
    throw new Error(`the gateway does not audit ${saleId}: ${response.status} ${why}`);
  }
  const audit = body as Audit;
  for (const line of formatAudit(audit)) note(line);
  return audit.verdict === 'clean' ? 0 : 1;
}
