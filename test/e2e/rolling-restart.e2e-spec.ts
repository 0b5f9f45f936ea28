import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { Api } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { startPlatform, type Platform } from '../support/platform.js';

const services = ['gateway', 'promotion', 'seckill', 'order', 'notification'] as const;
/** Of each service; `DRILL_ROUNDS=20` restarts each twenty times. */
const rounds = Number(process.env['DRILL_ROUNDS'] ?? 1);
const buyersAtOnce = 4;

interface Answer {
  status: number;
  body: any;
}

/** What a client sees besides answers. `refused`: nobody listens, which is how a service that stops says so. */
interface Troubles {
  refused: number;
  broken: string[];
}

/** One buyer's keep-alive connection. Resolves to null where there was no connection to be had; anything else that is no answer is kept. */
class Connection {
  private readonly agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

  constructor(private readonly baseUrl: string, private readonly troubles: Troubles) {}

  send(path: string, token: string, key: string, body: unknown): Promise<Answer | null> {
    return new Promise((resolve) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': key };
      const request = http.request(new URL(path, this.baseUrl), { method: 'POST', agent: this.agent, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString()) }));
        response.on('error', (error) => fail(error));
      });
      const fail = (error: Error & { code?: string }): void => {
        if (error.code === 'ECONNREFUSED') this.troubles.refused++;
        else this.troubles.broken.push(`${path}: ${error.code ?? error.message}`);
        resolve(null);
      };
      request.on('error', fail);
      request.end(JSON.stringify(body));
    });
  }

  close(): void {
    this.agent.destroy();
  }
}

describe('promise: a restart is not noticed by who has been promised something', () => {
  let platform: Platform;
  let api: Api;
  beforeAll(async () => {
    platform = await startPlatform();
    api = new Api(platform.run);
  });
  afterAll(() => platform?.stop());

  const serviceOf = (name: string) => platform.run.services.find((service) => service.name === name)!;

  async function restart(name: string): Promise<void> {
    const { pid, internalUrl } = serviceOf(name);
    process.kill(pid, 'SIGTERM');
    await eventually(async () => {
      expect(serviceOf(name).pid).not.toBe(pid);
      expect((await fetch(`${internalUrl}/readyz`)).status).toBe(200);
    }, { timeoutMs: 90_000 });
  }

  it('loses no 202 and resets no connection, whichever service is restarted under load', async () => {
    const sale = await api.armedSale([{ quota: 20_000 }]);
    const items = [{ itemId: sale.items[0]!.id, quantity: 1 }];
    const troubles: Troubles = { refused: 0, broken: [] };
    const promised = new Set<string>();
    const odd: unknown[] = [];
    const shop = new AbortController();

    /** Until there is a definite answer; the same key all along. */
    async function insist(connection: Connection, path: string, token: string, body: unknown): Promise<Answer> {
      const key = randomUUID();
      return eventually(async () => {
        const answer = await connection.send(path, token, key, body);
        if (answer === null || answer.status === 503) throw new Error('not yet');
        return answer;
      }, { timeoutMs: 120_000 });
    }

    async function buy(): Promise<void> {
      const connection = new Connection(platform.run.gatewayUrl, troubles);
      while (!shop.signal.aborted) {
        const { token } = api.buyer();
        const entry = await insist(connection, `/v1/sales/${sale.id}/entry-token`, token, {});
        const answer = await insist(connection, `/v1/sales/${sale.id}/reservations`, token, { entryToken: entry.body.token, items });
        if (answer.status === 202) promised.add(answer.body.reservationId);
        else odd.push([entry, answer]);
      }
      connection.close();
    }

    const buying = Promise.all(Array.from({ length: buyersAtOnce }, buy));
    try {
      await eventually(() => expect(promised.size).toBeGreaterThan(0), { timeoutMs: 60_000 });
      for (let round = 0; round < rounds; round++) {
        for (const name of services) {
          const before = promised.size;
          await restart(name);
          // It sells on before the next one goes.
          await eventually(() => expect(promised.size).toBeGreaterThan(before), { timeoutMs: 60_000 });
        }
      }
    } finally {
      shop.abort();
    }
    await buying;
    expect(troubles.broken).toEqual([]);
    expect(troubles.refused).toBeGreaterThan(0);
    expect(odd).toEqual([]);
    await eventually(async () => {
      expect(await api.audit(sale.id)).toMatchObject({ verdict: 'clean', items: [{ held: promised.size, redisAvailable: 20_000 - promised.size }] });
    }, { timeoutMs: 60_000 });
  }, 300_000 + rounds * 120_000);
});
