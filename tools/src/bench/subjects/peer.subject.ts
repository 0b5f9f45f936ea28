import type { Redis } from 'ioredis';
import { escapeIdentifier, type Client } from 'pg';

import { HttpClient } from '../../scenario/http-client.js';
import type { Roots } from '../process-cpu.js';
import { buyersMax, grabBytes, type Offering, type Subject } from './subject.js';

const itemId = 'item';
const readyWithinMs = 90_000;
const pollMs = 100;

/** A design that others use, small and honest; see test/load/peers. */
export class PeerSubject implements Subject {
  private round = 0;
  private readonly table: string;

  constructor(readonly name: string, readonly roots: Roots, private readonly origin: URL, private readonly servers: { redis: Redis; database: Client }) {
    this.table = escapeIdentifier(`orders_of_${name}`);
  }

  /** Waits until a grab has become a row: all of its processes are there then. */
  async untilReady(): Promise<void> {
    const http = new HttpClient(this.origin.origin, 1);
    const untilMs = Date.now() + readyWithinMs;
    await this.stock(1_000);
    try {
      for (let nth = 0; !(await this.hasRow()); nth++) {
        if (Date.now() > untilMs) throw new Error(`the peer ${this.name} was not ready within ${readyWithinMs / 1_000} s`);
        await http.call({ method: 'POST', path: '/grab', body: { userId: 'first', requestId: `first-${nth}`, itemId } });
        await new Promise((resolve) => {
          setTimeout(resolve, pollMs);
        });
      }
    } finally {
      await http.close();
    }
  }

  async offer(units: number): Promise<Offering> {
    const { origin, name } = this;
    const round = `${name}-${this.round++}`;
    await this.stock(units);
    await this.servers.database.query(`TRUNCATE ${this.table}`);
    const made = Array.from({ length: buyersMax }, (_, nth) =>
      grabBytes({ origin, path: '/grab', body: (key) => JSON.stringify({ userId: `bench-${nth}`, requestId: `${round}-${key}`, itemId }) }));
    return { origin, request: (nth) => made[nth % buyersMax]!(`k${nth}`), persisted: () => this.rows() };
  }

  private async stock(units: number): Promise<void> {
    await this.servers.redis.multi().set(`${this.name}:stock:${itemId}`, units).del(`${this.name}:buyers:${itemId}`).exec();
  }

  private async rows(): Promise<number> {
    return (await this.servers.database.query<{ rows: number }>(`SELECT count(*)::int AS rows FROM ${this.table}`)).rows[0]!.rows;
  }

  private hasRow(): Promise<boolean> {
    return this.rows().then((rows) => rows > 0, () => false); // the table is made by the peer itself
  }
}
