import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { InfrastructureError } from '../errors.js';
import { eventually, gate } from '../support/eventually.js';
import { createDatabase } from '../support/service.harness.js';
import { TcpProxy } from '../support/tcp.proxy.js';
import { Database } from './database.js';
import { migrate } from './migrations.js';

class CreateAccounts1700000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE account (id text PRIMARY KEY, units bigint NOT NULL)');
    await runner.query("INSERT INTO account VALUES ('a', 1), ('b', 2)");
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE account');
  }
}

describe('Postgres', () => {
  let disposable: Awaited<ReturnType<typeof createDatabase>>;
  let proxy: TcpProxy;
  let url: string;
  let database: Database;
  const schema = 'own';

  const migration = (through = disposable.url) => migrate({ url: through, schema, applicationName: 'test', migrations: [CreateAccounts1700000000000] });

  beforeAll(async () => {
    disposable = await createDatabase();
    proxy = new TcpProxy(new URL(disposable.url));
    url = await proxy.start();
    const started = await Promise.all([migration(), migration(), migration()]);
    await Promise.all(started.map((dataSource) => dataSource.destroy()));
    database = new Database({ url, schema, applicationName: 'test', connectionsMax: 4 });
  });

  afterEach(async () => {
    proxy.release();
    proxy.accept();
    await eventually(async () => expect(await database.reachable()).toBe(true));
  });

  afterAll(async () => {
    await database.close();
    await proxy.stop();
    await disposable.drop();
  });

  const units = async (id: string) => (await database.query<{ units: number }>({ name: 'units', text: 'SELECT units FROM account WHERE id = $1' }, [id]))[0]?.units;
  const add = (id: string, count: number) =>
    database.transaction(async (tx) => { await tx.query('UPDATE account SET units = units + $2 WHERE id = $1', [id, count]); });
  const outage = async (attempt: Promise<unknown>) => {
    const error = await attempt.then(() => null, (reason: unknown) => reason);
    expect(error).toBeInstanceOf(InfrastructureError);
    return (error as InfrastructureError).outcome;
  };

  it('migrates once though several start together, into its own schema', async () => {
    expect(await database.query('SELECT table_schema, table_name FROM information_schema.tables WHERE table_name = $1', ['account'])).toEqual([{ table_schema: 'own', table_name: 'account' }]);
    expect(await database.query('SELECT count(*) AS count FROM own.migrations')).toEqual([{ count: 1 }]);
  });

  it('waits for a server that is not there yet', async () => {
    proxy.refuse();
    const waiting = migration(url);
    await eventually(async () => expect(await outage(units('a'))).toBe('not-done'));
    proxy.accept();
    await (await waiting).destroy();
  });

  it('reads bigint as a number', async () => {
    expect(await units('b')).toBe(2);
  });

  it('commits all or nothing', async () => {
    await add('a', 10);
    await expect(database.transaction(async (tx) => {
      await tx.query("UPDATE account SET units = 0 WHERE id = 'a'");
      throw new Error('no');
    })).rejects.toThrow('no');
    expect(await units('a')).toBe(11);
  });

  it('a transaction that failed inside does not count as committed though its work swallowed the error', async () => {
    await expect(database.transaction(async (tx) => {
      await tx.query('SELECT 1 / 0').catch(() => undefined);
    })).rejects.toThrow('rolled back');
  });

  it('tells after the commit, and not without one', async () => {
    const told: string[] = [];
    await database.transaction(async (tx) => { tx.afterCommit(() => { told.push('yes'); }); });
    await database.transaction(async (tx) => {
      tx.afterCommit(() => { told.push('no'); });
      throw new Error('no');
    }).catch(() => undefined);
    expect(told).toEqual(['yes']);
  });

  it('a deadlock is tried again', async () => {
    const both = [gate(), gate()];
    let tries = 0;
    const cross = (own: number, first: string, second: string) => database.transaction(async (tx) => {
      tries++;
      await tx.query('UPDATE account SET units = units + 1 WHERE id = $1', [first]);
      both[own]!.open();
      await both[1 - own]!.opened;
      await tx.query('UPDATE account SET units = units + 1 WHERE id = $1', [second]);
    });
    const before = [await units('a'), await units('b')];
    await Promise.all([cross(0, 'a', 'b'), cross(1, 'b', 'a')]);
    expect([await units('a'), await units('b')]).toEqual(before.map((count) => count! + 2));
    expect(tries).toBe(3);
  });

  it('a serialization failure is tried again', async () => {
    const before = await units('a');
    let tries = 0;
    await expect(database.transaction(async (tx) => {
      await tx.query("UPDATE account SET units = units + 1 WHERE id = 'a'");
      if (++tries < 3) await tx.query("DO $$ BEGIN RAISE EXCEPTION 'could not serialize' USING ERRCODE = '40001'; END $$");
    })).resolves.toBeUndefined();
    expect(tries).toBe(3);
    expect(await units('a')).toBe(before! + 1);
  });

  it('an absent server is an outage in which nothing was done', async () => {
    proxy.refuse();
    expect(await outage(add('a', 1))).toBe('not-done');
    expect(await database.reachable()).toBe(false);
    expect(await outage(units('a'))).toBe('not-done');
  });

  it('a link that breaks within a transaction leaves nothing', async () => {
    const before = await units('a');
    expect(await outage(database.transaction(async (tx) => {
      await tx.query("UPDATE account SET units = 0 WHERE id = 'a'");
      proxy.cut();
      await tx.query('SELECT 1');
    }))).toBe('not-done');
    expect(await units('a')).toBe(before);
  });

  it('a COMMIT whose answer never comes is unknown', async () => {
    const before = await units('a');
    const commit = outage(database.transaction(async (tx) => {
      await tx.query("UPDATE account SET units = units + 5 WHERE id = 'a'");
      proxy.hold();
    }));
    const direct = new Database({ url: disposable.url, schema, applicationName: 'observer', connectionsMax: 1 });
    await eventually(async () => expect(await direct.query("SELECT units FROM account WHERE id = 'a'")).toEqual([{ units: before! + 5 }]));
    await direct.close();
    proxy.cut();
    expect(await commit).toBe('unknown');
  });

  it('a server that ends the session is an outage', async () => {
    expect(await outage(database.query('SELECT pg_terminate_backend(pg_backend_pid())'))).toBe('unknown');
  });

  it('an error of the statement is the caller’s', async () => {
    await expect(database.query('SELECT * FROM nowhere')).rejects.toMatchObject({ code: '42P01' });
  });
});
