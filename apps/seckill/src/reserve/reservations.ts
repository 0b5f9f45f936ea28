import { unpackItems, type Ask, type AttemptResult, type Reservation } from '@floodgate/contracts';
import { crashPoint, createLogger, errorText, Publisher } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { BoardBeat } from '../board/board.beat.js';
import { Fence } from '../fence/fence.js';
import type { Lane } from '../fence/lane.registry.js';
import { attemptsDecided, reservationsConfirmed, vectorAttempts, vectorsInFlight } from '../metrics.js';
import { publishReservations } from '../relay/publish-reservations.js';
import { RelayStore } from '../stock/relay.store.js';
import { StockStore, type DoorAttempt, type VectorVerdict } from '../stock/stock.store.js';
import { outcomeUnknown, readAttempt, unavailable } from './attempt.result.js';

// 16,384 attempts; a process that has more under way answers none of them in time.
const VECTORS_MAX = 64;
// A confirm takes milliseconds; who waits longer is told that the outcome is unknown, and the relay goes on.
const CONFIRM_TIMEOUT_MS = 2_000;

/** A vector that Redis has decided, and the reservations in it whose message is not confirmed. */
interface DecidedVector {
  results: AttemptResult[];
  reservations: Reservation[];
  /** The attempts that stand for them. */
  waiting: number[];
}

/** What comes to the door: of the gateways, or of an operator. */
export type DoorVector = Omit<Ask<'reserve'>, 'attempts'> & { attempts: DoorAttempt[] };

/** Reserves, has the broker keep it, answers. In this order and never back: a publish that failed may have arrived. */
@Injectable()
export class Reservations {
  private readonly logger = createLogger('reserve');
  private inFlight = 0;

  constructor(
    private readonly stock: StockStore,
    private readonly relay: RelayStore,
    private readonly publisher: Publisher,
    private readonly fence: Fence,
    private readonly board: BoardBeat,
  ) {}

  /**
   * Answers a vector, each attempt in its place. `unavailable`: nothing was done. `outcome-unknown`: units may be held, and the same
   * attempt sent again finds out. Never throws.
   */
  async decide(ask: DoorVector): Promise<AttemptResult[]> {
    vectorAttempts.observe(ask.attempts.length);
    vectorsInFlight.inc();
    this.inFlight++;
    try {
      const results = await this.decideVector(ask);
      count(results);
      return results;
    } finally {
      this.inFlight--;
      vectorsInFlight.dec();
    }
  }

  private async decideVector(ask: DoorVector): Promise<AttemptResult[]> {
    const { attempts } = ask;
    const all = (result: AttemptResult): AttemptResult[] => attempts.map(() => result);
    // While the broker takes no messages nothing may be reserved, so Redis is not even asked.
    if (this.inFlight > VECTORS_MAX || this.publisher.state !== 'up') return all(unavailable);
    const lane = await this.fence.learn(ask.saleId, ask.lane).catch(() => undefined); // Redis is away
    if (!lane?.open) return all(unavailable);
    const epoch = lane.epoch;
    const verdict = await this.stock.reserve(lane.keys, epoch, ask.deadlineAtMs, attempts);
    if (verdict.word !== 'selling') return all(this.refuse(lane, epoch, verdict));
    const decided = read(attempts, verdict);
    if (decided.reservations.length === 0) return decided.results;
    crashPoint('reserve.after-lua');
    this.board.touch(lane);
    if (!(await this.confirmed(lane, epoch, decided.reservations, verdict.relayId))) {
      for (const at of decided.waiting) decided.results[at] = outcomeUnknown;
    }
    return decided.results;
  }

  /** @returns whether the broker has these reservations, and Redis has not been in doubt since it made them */
  private async confirmed(lane: Lane, epoch: number, reservations: Reservation[], relayId: string): Promise<boolean> {
    // What an older epoch reserved is neither published nor promised: Redis may have forgotten it, and the rebuild decides.
    const stands = (): boolean => lane.open && lane.epoch === epoch;
    if (!stands()) return false;
    crashPoint('reserve.before-publish');
    try {
      const published = publishReservations(this.publisher, lane, epoch, reservations, { timeoutMs: CONFIRM_TIMEOUT_MS });
      crashPoint('reserve.after-publish');
      await published;
      crashPoint('reserve.after-confirm');
      reservationsConfirmed.inc(reservations.length);
    } catch (error) {
      this.logger.warn({ lane: lane.name, reservations: reservations.length }, errorText(error));
      return false;
    }
    if (relayId !== '') {
      this.relay.confirmed(lane.keys, [relayId])
        .catch((error: unknown) => this.logger.debug(errorText(error))); // the relay publishes them once more
    }
    return stands();
  }

  /** The fence hears of everything that a sound Redis would not say. */
  private refuse(lane: Lane, epoch: number, verdict: Exclude<VectorVerdict, { word: 'selling' }>): AttemptResult {
    switch (verdict.word) {
      case 'late': return unavailable;
      case 'forgotten':
        this.fence.distrust(lane, epoch, verdict.word);
        return unavailable;
      case 'refused':
        this.logger.warn(verdict.detail);
        return unavailable;
      case 'unknown':
        this.logger.warn(verdict.detail);
        this.fence.suspect('redis-silent');
        return outcomeUnknown;
      default:
        this.fence.suspect(verdict.word);
        return unavailable;
    }
  }
}

function read(attempts: readonly DoorAttempt[], verdict: Extract<VectorVerdict, { word: 'selling' }>): DecidedVector {
  const decided: DecidedVector = { results: [], reservations: [], waiting: [] };
  const named = new Set<string>();
  for (let at = 0; at < attempts.length; at++) {
    const attempt = attempts[at] as DoorAttempt;
    const { result, unconfirmed } = readAttempt(verdict.attempts[at] as string);
    decided.results.push(result);
    if (!unconfirmed) continue;
    decided.waiting.push(at);
    // Sent twice within one vector: both answers wait for the one message.
    if (named.has(attempt.rid)) continue;
    named.add(attempt.rid);
    decided.reservations.push({
      rid: attempt.rid,
      accountId: attempt.accountId,
      ipHash: result.word === 'replayed' ? unconfirmed.ipHash : attempt.ipHash,
      items: unpackItems(attempt.items),
      number: result.number as number,
      reservedAtMs: result.reservedAtMs as number,
    });
  }
  return decided;
}

/** One increment per word and vector: labels are dear. */
function count(results: readonly AttemptResult[]): void {
  const tally = new Map<string, number>();
  for (const { word } of results) tally.set(word, (tally.get(word) ?? 0) + 1);
  for (const [word, times] of tally) attemptsDecided.inc({ word }, times);
}
