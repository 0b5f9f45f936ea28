import type { Answer, Answered } from './http-client.js';
import type { Pauses } from './pauses.js';

/** Waits between tries of a call that nobody answered: short at first, then a second, as a restart takes about that long. */
const backoffMs = [50, 150, 400, 1_000] as const;

/** Neither an answer to the question nor one that stays: try the same call again. */
export const isPassing = (answer: Answer): boolean => answer.kind === 'lost' || answer.status >= 500 || answer.status === 429 || answer.status === 425;

/** How long to wait before the next try: as the server says, else growing with the number of tries. */
export function pauseBefore(answer: Answer, tries: number): number {
  const asked = answer.kind === 'answered' ? answer.body.retryAfterMs : undefined;
  const ms = typeof asked === 'number' && asked > 0 ? asked : backoffMs[Math.min(tries, backoffMs.length) - 1] ?? 1_000;
  return Math.min(ms, 5_000);
}

/**
 * Sends the same call (with its idempotency key, if it has one) until there is an answer that stays.
 * @returns that answer, or null when `untilMs` (epoch) came first or the run was stopped
 */
export async function persist(send: () => Promise<Answer>, { pauses, untilMs }: { pauses: Pauses; untilMs: number }): Promise<Answered | null> {
  for (let tries = 1; !pauses.stopped; tries++) {
    const answer = await send();
    if (!isPassing(answer)) return answer as Answered;
    const pauseMs = pauseBefore(answer, tries);
    if (Date.now() + pauseMs > untilMs) return null;
    await pauses.sleep(pauseMs);
  }
  return null;
}
