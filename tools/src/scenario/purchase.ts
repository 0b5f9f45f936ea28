import type { View } from '@floodgate/contracts';

import { isPassing, persist } from './persist.js';
import type { Answer, HttpClient } from './http-client.js';
import type { Attempt, Purchase } from './history.js';
import type { Fate } from './plan.js';
import type { Stage } from './stage.js';
import { Watch } from './watch.js';

/** After its payment window a reservation must end by the sweeper, through crashes of whatever part. */
const settleMs = 75_000;
/** How soon after its window a lapsed order is usually closed. */
const sweepMs = 1_500;

/**
 * What a buyer does after the 202, to the end of the reservation: follow it, then pay, decline, cancel, or let it lapse.
 * Resolves when the buyer has seen a terminal state, or has waited far longer than any is allowed to take.
 */
export async function purchase(stage: Stage, attempt: Attempt, rid: string, paymentWindowMs: number): Promise<void> {
  const record: Purchase = { rid, key: attempt.key, buyer: attempt.buyer, items: attempt.items, shown: [], payment: 'none', cancelled: false, missing: 0 };
  stage.purchases.set(rid, record);
  const fate = stage.plan.fateOf(attempt.key);
  if (fate.name === 'cancel' && fate.early) await cancel(stage, record);
  const watch = new Watch(stage, record, Date.now() + paymentWindowMs + settleMs, fate.byEvents);
  const order = await watch.until((shown) => shown.state !== 'QUEUED');
  if (order?.state === 'ORDERED' && !(fate.name === 'cancel' && fate.early)) await act(stage, record, fate, order);
  // Who did nothing need not look before the payment window is over.
  const lapses = order?.state === 'ORDERED' && order.payBy !== null && !record.cancelled && (record.payment === 'none' || record.payment === 'opened');
  await watch.until((shown) => shown.terminal, lapses ? Date.parse(order.payBy ?? '') - Date.now() + sweepMs : undefined);
}

async function act(stage: Stage, record: Purchase, fate: Fate, order: View.ReservationView): Promise<void> {
  await stage.pauses.sleep(fate.thinkMs);
  const untilMs = order.payBy === null ? Date.now() + settleMs : Date.parse(order.payBy);
  if (fate.name === 'cancel') return cancel(stage, record);
  if (fate.name === 'lapse' && !fate.early) return;
  const page = await openPayment(stage, record, untilMs);
  if (page !== null && fate.name !== 'lapse') await click(stage, record, fate, { page, untilMs });
}

async function cancel(stage: Stage, record: Purchase): Promise<void> {
  const call = { method: 'POST', path: `/v1/orders/${record.rid}/cancel`, ...stage.as(record.buyer), key: `${record.key}-cancel` } as const;
  const answer = await persist(() => stage.till.call(call), { pauses: stage.pauses, untilMs: Date.now() + settleMs });
  if (answer?.status === 202) record.cancelled = true;
  if (answer?.status === 404) record.missing++;
}

/** The address of the provider's page, or null: too late, or nobody answered in time. */
async function openPayment(stage: Stage, record: Purchase, untilMs: number): Promise<URL | null> {
  const call = { method: 'POST', path: `/v1/orders/${record.rid}/payments`, ...stage.as(record.buyer), key: `${record.key}-pay`, body: { provider: 'sandbox' }, notAfterMs: untilMs } as const;
  const answer = await persist(() => stage.till.call(call), { pauses: stage.pauses, untilMs });
  if (!answer || answer.status >= 300) {
    record.payment = answer ? 'turned-away' : 'unanswered';
    return null;
  }
  record.payment = 'opened';
  return new URL(String(answer.body.redirectUrl));
}

async function click(stage: Stage, record: Purchase, fate: Fate, { page, untilMs }: { page: URL; untilMs: number }): Promise<void> {
  const provider: HttpClient = stage.providerAt(page.origin);
  const outcome = fate.name === 'decline' ? 'decline' : 'capture';
  const body = { outcome, ...(fate.captureDelayMs > 0 && { delayMs: fate.captureDelayMs }), ...(fate.repeat > 0 && { repeat: fate.repeat }) };
  record.payment = 'clicked';
  let doubt = false;
  const send = async (): Promise<Answer> => {
    const answer = await provider.call({ method: 'POST', path: page.pathname + page.search, body, notAfterMs: untilMs });
    if (isPassing(answer) && !(answer.kind === 'lost' && answer.reached === 'no')) doubt = true;
    return answer;
  };
  const answer = await persist(send, { pauses: stage.pauses, untilMs });
  if (answer?.status === 202) record.payment = outcome === 'capture' ? 'captured' : 'declined';
  else if (answer && !doubt) record.payment = 'turned-away';
}
