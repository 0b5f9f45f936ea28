import type { View } from '@floodgate/contracts';

import type { Purchase } from './history.js';
import { streamsMax, type Stage } from './stage.js';

type Shown = View.ReservationView;

/** Streams open now, over all buyers of the run. */
let streams = 0;

/**
 * A buyer looking at a reservation, by server-sent events or by polling as often as the platform asks, until a terminal state.
 * Every version shown goes into the history.
 */
export class Watch {
  /** Resolves when nothing more is to be seen: the reservation has ended, or `untilMs` came. */
  readonly ended: Promise<void>;
  private last: Shown | null = null;
  private over = false;
  private readonly waiting = new Set<{ test: (shown: Shown) => boolean; resolve: (shown: Shown | null) => void }>();

  constructor(private readonly stage: Stage, private readonly purchase: Purchase, private readonly untilMs: number, byEvents: boolean) {
    this.ended = this.look(byEvents && streams < streamsMax);
  }

  /** The first view that passes the test; null when the watch ended before one did. */
  until(test: (shown: Shown) => boolean): Promise<Shown | null> {
    if (this.last && test(this.last)) return Promise.resolve(this.last);
    if (this.over) return Promise.resolve(null);
    return new Promise((resolve) => this.waiting.add({ test, resolve }));
  }

  private async look(byEvents: boolean): Promise<void> {
    this.stage.tally.states.QUEUED++;
    while (this.goesOn()) {
      if (byEvents) await this.stream();
      else await this.poll();
    }
    this.over = true;
    for (const { resolve } of this.waiting) resolve(null);
  }

  private goesOn(): boolean {
    return !this.last?.terminal && !this.stage.pauses.stopped && Date.now() < this.untilMs;
  }

  private async poll(): Promise<void> {
    // The 202 is just in: the first look comes when its order may exist.
    await this.stage.pauses.sleep(Math.min(Math.max(this.last?.pollAfterMs ?? 600, 200), 5_000));
    const answer = await this.stage.calm.call({ method: 'GET', path: `/v1/reservations/${this.purchase.rid}`, token: this.stage.tokenOf(this.purchase.buyer) });
    if (answer.kind === 'answered' && answer.status === 200) this.show(answer.body as unknown as Shown);
    else if (answer.kind === 'answered' && answer.status === 404) this.purchase.missing++;
  }

  /** One connection's worth of events. The platform ends it after a terminal state; anything else that ends it is followed by another. */
  private async stream(): Promise<void> {
    streams++;
    try {
      const headers: Record<string, string> = { accept: 'text/event-stream', authorization: `Bearer ${this.stage.tokenOf(this.purchase.buyer)}` };
      if (this.last) headers['last-event-id'] = String(this.last.version);
      const response = await this.stage.streams.open(`/v1/reservations/${this.purchase.rid}/events`, headers);
      if (response.statusCode === 404) this.purchase.missing++;
      if (response.statusCode === 200) await this.read(response.body);
      else await response.body.dump();
    } catch {
      // The server went away in the middle of a stream: the next one starts where this one stopped.
    } finally {
      streams--;
    }
    if (this.goesOn()) await this.stage.pauses.sleep(500);
  }

  private async read(body: AsyncIterable<Buffer>): Promise<void> {
    let text = '';
    for await (const chunk of body) {
      text += chunk.toString('utf8');
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const data = text.slice(0, end).split('\n').filter((line) => line.startsWith('data:')).map((line) => line.slice(5).trimStart()).join('\n');
        text = text.slice(end + 2);
        if (data !== '') this.show(JSON.parse(data) as Shown);
      }
      if (!this.goesOn()) return;
    }
  }

  private show(shown: Shown): void {
    if (this.last && shown.version === this.last.version && shown.state === this.last.state) return;
    const { states } = this.stage.tally;
    states[this.last?.state ?? 'QUEUED']--;
    states[shown.state]++;
    this.last = shown;
    this.purchase.shown.push({ version: shown.version, state: shown.state, reason: shown.reason, terminal: shown.terminal });
    for (const entry of this.waiting) {
      if (!entry.test(shown)) continue;
      this.waiting.delete(entry);
      entry.resolve(shown);
    }
  }
}
