import type { View } from '@floodgate/contracts';

import type { Purchase } from './history.js';
import { streamsMax, type Stage } from './stage.js';

type Shown = View.ReservationView;

/** Streams open now, over all buyers of the run. */
let streams = 0;

/** Looking again gets slower: thousands who look twice a second would keep the platform from the orders they are waiting for. */
const looks = { firstMs: 2_000, slower: 1.5, mostMs: 6_000 } as const;

/**
 * A buyer looking at a reservation, by server-sent events or by polling (never sooner than the platform asks), until a terminal state.
 * Every version shown goes into the history.
 */
export class Watch {
  private last: Shown | null = null;
  private readonly byEvents: boolean;
  private readonly waiting = new Set<{ test: (shown: Shown) => boolean; resolve: (shown: Shown | null) => void }>();

  constructor(private readonly stage: Stage, private readonly purchase: Purchase, private readonly untilMs: number, byEvents: boolean) {
    stage.tally.states.QUEUED++;
    this.byEvents = byEvents && streams < streamsMax;
    if (this.byEvents) void this.stream();
  }

  /**
   * The first view that passes the test; null when the reservation ended, or the time ran out, before one did.
   * @param firstLookMs when a poller looks first
   */
  async until(test: (shown: Shown) => boolean, firstLookMs: number = looks.firstMs): Promise<Shown | null> {
    if (this.last && test(this.last)) return this.last;
    if (this.byEvents) return this.goesOn() ? new Promise((resolve) => this.waiting.add({ test, resolve })) : null;
    for (let pauseMs = firstLookMs; this.goesOn(); pauseMs = Math.min(looks.mostMs, Math.max(looks.firstMs, pauseMs) * looks.slower)) {
      await this.stage.pauses.sleep(Math.max(pauseMs, this.last?.pollAfterMs ?? 0));
      await this.look();
      if (this.last && test(this.last)) return this.last;
    }
    return null;
  }

  private goesOn(): boolean {
    return !this.last?.terminal && !this.stage.pauses.stopped && Date.now() < this.untilMs;
  }

  private async look(): Promise<void> {
    const answer = await this.stage.calm.call({ method: 'GET', path: `/v1/reservations/${this.purchase.rid}`, ...this.stage.as(this.purchase.buyer) });
    if (answer.kind === 'answered' && answer.status === 200) this.show(answer.body as unknown as Shown);
    else if (answer.kind === 'answered' && answer.status === 404) this.purchase.missing++;
  }

  /** Events to the end: a connection that breaks before a terminal state is followed by another. */
  private async stream(): Promise<void> {
    streams++;
    while (this.goesOn()) {
      await this.connection();
      if (this.goesOn()) await this.stage.pauses.sleep(500);
    }
    streams--;
    for (const { resolve } of this.waiting) resolve(null);
    this.waiting.clear();
  }

  private async connection(): Promise<void> {
    try {
      const { token, from } = this.stage.as(this.purchase.buyer);
      const headers: Record<string, string> = { accept: 'text/event-stream', authorization: `Bearer ${token}`, ...(from !== undefined && { 'x-forwarded-for': from }) };
      if (this.last) headers['last-event-id'] = String(this.last.version);
      const response = await this.stage.streams.open(`/v1/reservations/${this.purchase.rid}/events`, headers);
      if (response.statusCode === 404) this.purchase.missing++;
      if (response.statusCode === 200) await this.read(response.body);
      else await response.body.dump();
    } catch {
      // The server went away in the middle of a stream: the next one starts where this one stopped.
    }
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
