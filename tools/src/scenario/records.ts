import type { View } from '@floodgate/contracts';

import { ask } from './make-sale.js';
import type { StagedSale, Stage } from './stage.js';

/** What the platform's own records say of the sale when all is over. Null: it could not be read. */
export interface Records {
  audit: View.AuditView | null;
  orders: View.OrderView[] | null;
}

/** How long messages may be under way after the last buyer saw the end. */
const settleMs = 90_000;
/** A record that stays broken this long with nothing under way will not mend. */
const brokenMs = 10_000;

/** Waits until nothing is under way, then reads the audit and every order of the sale. */
export async function readRecords(stage: Stage, sale: StagedSale, auditorToken: string): Promise<Records> {
  return { audit: await settledAudit(stage, sale, auditorToken), orders: await listOrders(stage, sale) };
}

/** The audit once nothing is under way; the last one where that does not come, null where there was none. */
export async function settledAudit(stage: Stage, sale: StagedSale, token: string): Promise<View.AuditView | null> {
  const startedAtMs = Date.now();
  let brokenSinceMs: number | null = null;
  for (;;) {
    const audit = await readAudit(stage, sale, token);
    const broken = audit !== null && audit.settling === 0 && audit.verdict === 'broken';
    brokenSinceMs = broken ? brokenSinceMs ?? Date.now() : null;
    const lasting = brokenSinceMs !== null && Date.now() - brokenSinceMs > brokenMs;
    if (audit?.verdict === 'clean' || lasting || Date.now() - startedAtMs > settleMs || stage.pauses.stopped) return audit;
    await stage.pauses.sleep(1_000);
  }
}

async function readAudit(stage: Stage, sale: StagedSale, token: string): Promise<View.AuditView | null> {
  try {
    const answer = await ask(stage, { method: 'GET', path: `/v1/admin/sales/${sale.id}/audit`, token });
    return answer.status === 200 ? answer.body as unknown as View.AuditView : null;
  } catch {
    return null; // No answer: the verdict says `unknown`, and the run still reports what it knows.
  }
}

async function listOrders(stage: Stage, sale: StagedSale): Promise<View.OrderView[] | null> {
  const orders: View.OrderView[] = [];
  let cursor = '';
  try {
    for (;;) {
      const answer = await ask(stage, { method: 'GET', path: `/v1/admin/sales/${sale.id}/orders?limit=100${cursor}`, token: sale.merchant });
      if (answer.status !== 200) return null;
      const page = answer.body as unknown as View.Page<View.OrderView>;
      orders.push(...page.items);
      if (page.nextCursor === null) return orders;
      cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`;
    }
  } catch {
    return null; // As above.
  }
}
