import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import pg from 'pg';
import { loadToolsConfig } from '../../tools/src/config.js';
import { findPostgresDir } from '../../tools/src/process/find-binary.js';
import { Api, expectStatus } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { infraUrls } from '../support/infra.js';
import { startPlatform, type Platform } from '../support/platform.js';

const patiently = { timeoutMs: 120_000 };
/** A program that comes with the server, or is on the path. */
const program = (name: string): string => {
  const besideServer = path.join(findPostgresDir(loadToolsConfig().PATH) ?? '', name);
  return existsSync(besideServer) ? besideServer : name;
};

describe('promise: while Postgres is slow nobody is lost, and from its backup the platform is whole again', () => {
  let platform: Platform;
  let api: Api;
  beforeAll(async () => {
    platform = await startPlatform();
    api = new Api(platform.run);
  });
  afterAll(() => platform?.stop());

  const administer = async <T>(work: (client: pg.Client) => Promise<T>, database = infraUrls().databaseUrl): Promise<T> => {
    const client = new pg.Client({ connectionString: database });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  };
  const clean = (saleId: string, item: object) => eventually(async () => {
    expect(await api.audit(saleId)).toMatchObject({ verdict: 'clean', items: [item] });
  }, patiently);
  /** Somebody who has a 202. */
  const winner = async (sale: Awaited<ReturnType<Api['armedSale']>>, key: string) => {
    const buyer = api.buyer();
    const items = [{ itemId: sale.items[0]!.id, quantity: 1 }];
    const entryToken = await buyer.entryToken(sale.id);
    const again = () => buyer.reserve(sale.id, items, { key, entryToken });
    return { buyer, again, told: expectStatus(202, await again()) as { reservationId: string } };
  };

  it('a table that nobody can write to: buyers get their 202, and their orders as soon as it can be', async () => {
    const sale = await api.armedSale([{ quota: 5 }]);
    const winners = await administer(async (client) => {
      await client.query('BEGIN');
      await client.query('LOCK TABLE orders.orders IN SHARE MODE');
      const told = await Promise.all(['a', 'b', 'c'].map((key) => winner(sale, key)));
      // The consumer has met it, and took nothing for done.
      await eventually(async () => {
        const { rows } = await client.query(`SELECT 1 FROM pg_locks WHERE relation = 'orders.orders'::regclass AND NOT granted`);
        expect(rows).not.toEqual([]);
      }, patiently);
      for (const { buyer, told: { reservationId } } of told) expect(await buyer.until(reservationId, ['QUEUED'])).toMatchObject({ state: 'QUEUED' });
      await client.query('ROLLBACK');
      return told;
    }, platform.run.postgres.url);
    await Promise.all(winners.map(({ buyer, told: { reservationId } }) => buyer.until(reservationId, ['ORDERED'], patiently.timeoutMs)));
    await clean(sale.id, { held: 3, available: 2, redisAvailable: 2 });
  });

  it('restored beside the lost one and put in its place, Redis empty: every answer as before, and the sale goes on', async () => {
    const sale = await api.armedSale([{ quota: 5 }]);
    const winners = await Promise.all(['a', 'b'].map((key) => winner(sale, key)));
    await Promise.all(winners.map(({ buyer, told: { reservationId } }) => buyer.until(reservationId, ['ORDERED'], patiently.timeoutMs)));
    await clean(sale.id, { held: 2, available: 3, redisAvailable: 3 });

    await restoreInPlace();
    const redis = new Redis(platform.run.redis.url);
    await redis.call('FLUSHALL');
    redis.disconnect();

    for (const { again, told } of winners) await eventually(async () => { expect((await again()).body).toEqual(told); }, patiently);
    const later = await eventually(() => winner(sale, 'later'), patiently);
    await later.buyer.until(later.told.reservationId, ['ORDERED'], patiently.timeoutMs);
    await winners[0]!.buyer.pay(winners[0]!.told.reservationId);
    await clean(sale.id, { held: 2, sold: 1, available: 2, redisAvailable: 2 });
  });

  /** The commands of docs/operations.md: saved, restored beside it, and renamed while nobody may connect. */
  async function restoreInPlace(): Promise<void> {
    const folder = mkdtempSync(path.join(tmpdir(), 'floodgate-backup-'));
    const run = promisify(execFile);
    const name = new URL(platform.run.postgres.url).pathname.slice(1);
    const beside = new URL(platform.run.postgres.url);
    beside.pathname = `/${name}-restored`;
    try {
      await run(program('pg_dump'), ['--format=custom', `--file=${folder}/backup`, platform.run.postgres.url]);
      await administer((client) => client.query(`CREATE DATABASE ${pg.escapeIdentifier(`${name}-restored`)}`));
      await run(program('pg_restore'), ['--exit-on-error', `--dbname=${beside.toString()}`, `${folder}/backup`]);
      await administer(async (client) => {
        await client.query(`ALTER DATABASE ${pg.escapeIdentifier(name)} ALLOW_CONNECTIONS false`);
        await eventually(async () => {
          await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
          await client.query(`ALTER DATABASE ${pg.escapeIdentifier(name)} RENAME TO ${pg.escapeIdentifier(`${name}-lost`)}`);
        }, patiently);
        await client.query(`ALTER DATABASE ${pg.escapeIdentifier(`${name}-restored`)} RENAME TO ${pg.escapeIdentifier(name)}`);
        await client.query(`DROP DATABASE ${pg.escapeIdentifier(`${name}-lost`)} WITH (FORCE)`);
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
});
