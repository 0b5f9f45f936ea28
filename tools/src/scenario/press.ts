import { codeOf, type Answer } from './http-client.js';
import { isRefusal, isUncertain, outcomeOf, type Attempt, type Exchange } from './history.js';
import type { Entry } from './entry.js';
import { pauseBefore } from './persist.js';
import type { Press } from './attempt-rules.js';
import type { StagedSale, Stage } from './stage.js';

/** How long a buyer goes on trying while the platform says "not now". */
const patienceMs = 25_000;
/** How long for an attempt that may have been held: its buyer must learn the answer. */
const doubtPatienceMs = 75_000;
const renewalsMax = 3;

/**
 * Sends one press (and again, with the same key, until it has a lasting answer), and notes every answer in the history.
 * @param meantAtMs when it should have been sent, epoch: latency counts from here, so a slow answer cannot hide behind a late question
 * @param onAccepted called for each 202 of the key
 */
export async function press(scene: { stage: Stage; sale: StagedSale; entry: Entry }, what: Press, meantAtMs: number, onAccepted: (attempt: Attempt, rid: string) => void): Promise<void> {
  const { stage, sale, entry } = scene;
  const attempt = stage.attemptOf(what, sale);
  let entryToken = await entry.tokenOf(what.buyer);
  let renewals = 0;
  for (let tries = 1; !stage.pauses.stopped; tries++) {
    // None yet: another press of the same buyer may have been given one meanwhile.
    entryToken ??= await entry.tokenOf(what.buyer);
    stage.tally.attempts++;
    const answer = await stage.rush.call({
      method: 'POST', path: `/v1/sales/${sale.id}/reservations`, ...stage.as(what.buyer), key: what.key, body: { entryToken: entryToken ?? 'none', items: attempt.items },
    });
    const exchange = toExchange(answer);
    if (entryToken === null) exchange.tokenless = true;
    attempt.exchanges.push(exchange);
    if (exchange.word === 'ACCEPTED') {
      stage.tally.took(Date.now() - meantAtMs);
      onAccepted(attempt, exchange.rid ?? '');
      return;
    }
    if (exchange.word === 'ENTRY_TOKEN_INVALID' && renewals++ < renewalsMax) {
      entryToken = await entry.renew(what.buyer, entryToken ?? '');
      continue;
    }
    if (isRefusal(exchange)) {
      stage.tally.took(Date.now() - meantAtMs);
      if (attempt.exchanges.filter(isRefusal).length === 1) stage.tally.refuse(exchange.word);
      return;
    }
    if (isUncertain(exchange)) stage.tally.unknown++;
    const pauseMs = pauseBefore(answer, tries);
    const untilMs = meantAtMs + (outcomeOf(attempt).word === 'unknown' ? doubtPatienceMs : patienceMs);
    if (Date.now() + pauseMs > untilMs) return;
    await stage.pauses.sleep(pauseMs);
  }
}

function toExchange(answer: Answer): Exchange {
  const at = { sentAtMs: answer.sentAtMs, answeredAtMs: Date.now() };
  if (answer.kind === 'lost') return { ...at, word: 'LOST', reached: answer.reached };
  const { body } = answer;
  const exchange: Exchange = { ...at, word: answer.status === 202 ? 'ACCEPTED' : codeOf(answer) };
  if (typeof body.reservationId === 'string') exchange.rid = body.reservationId;
  if (exchange.word === 'ACCEPTED' && typeof body.number === 'number') exchange.number = body.number;
  if (answer.replayed) exchange.replayed = true;
  if (exchange.word === 'SOLD_OUT' && typeof body.itemId === 'string') exchange.itemId = body.itemId;
  if (exchange.word === 'SOLD_OUT' && typeof body.remaining === 'number') exchange.remaining = body.remaining;
  return exchange;
}
