import { signToken } from '../../scenario/sign-token.js';
import type { Roots } from '../process-cpu.js';
import { addressOf, buyersMax, grabBytes, type Offering, type Subject } from './subject.js';

/** As long as a real one. */
const entryToken = `et2.${'k'.repeat(8)}.${'p'.repeat(80)}.${'s'.repeat(43)}`;

/** A bare HTTP server that gets the same requests and does nothing: what everything here costs at least. */
export class FloorSubject implements Subject {
  readonly name = 'floor';

  constructor(readonly roots: Roots, private readonly origin: URL) {}

  offer(units: number): Promise<Offering> {
    const { origin } = this;
    const content = JSON.stringify({ entryToken, items: [{ itemId: 'Floor1-1', quantity: 1 }] });
    const path = units === 0 ? '/early' : '/v1/sales/Floor1/reservations';
    const made = Array.from({ length: buyersMax }, (_, nth) =>
      grabBytes({ origin, path, token: signToken('nobody looks at it', `bench-${nth}`, ['buyer']), from: addressOf(nth), body: () => content }));
    return Promise.resolve({ origin, request: (nth) => made[nth % buyersMax]!(`k${nth}`), persisted: null });
  }
}
