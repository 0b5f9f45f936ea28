import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TcpProxy } from '@floodgate/platform/testing';
import { createRedis } from '@floodgate/platform';
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Redis } from 'ioredis';
import pg from 'pg';
import { repositoryRoot } from '../../tools/src/config.js';
import { floodgateDir } from '../../tools/src/supervisor/clone-platform.js';
import { dashboards, queriesOf } from '../../tools/src/observe/dashboards.js';
import { Observer } from '../../tools/src/observe/observer.js';
import { onCallPage } from '../on-call/on-call-page.js';
import { Path } from '../on-call/path.js';
import { missingLines, runbookCommands } from '../on-call/runbook-commands.js';
import { provideShellTools, Terminal } from '../on-call/terminal.js';
import { walks } from '../on-call/walks.js';
import { Api, expectStatus } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { startPlatform, type Platform } from '../support/platform.js';
import { hastyRules } from '../support/hasty-rules.js';
import { PrometheusClient } from '../support/prometheus.client.js';
import { withoutVariables } from '../support/promql.js';

const installWithinMs = 400_000;
/** Six things in a row may each take as long as `patiently` allows. */
const walkWithinMs = 600_000;
/** Gauges are measured each five seconds, and the machine may be busy with other things. */
const patiently = { timeoutMs: 90_000 };

describe('promise: whoever watches sees it, and is told', () => {
  let platform: Platform;
  let observer: Observer;
  let api: Api;
  let broker: TcpProxy;
  let sql: pg.Client;
  let redis: Redis;
  let sale: { id: string; items: { id: string }[] };
  const notes: string[] = [];

  beforeAll(async () => {
    platform = await startPlatform({
      retryDelaysMs: [50, 50, 50, 50],
      serviceEnv: async ({ amqpUrl }) => {
        broker = new TcpProxy(new URL(amqpUrl));
        const AMQP_URL = await broker.start();
        return { gateway: { AMQP_URL }, promotion: { AMQP_URL }, seckill: { AMQP_URL }, order: { AMQP_URL }, notification: { AMQP_URL } };
      },
    });
    api = new Api(platform.run);
    sql = new pg.Client({ connectionString: platform.run.postgres.url });
    await sql.connect();
    redis = createRedis(platform.run.redis.url, { name: 'observe-test' });
    await eventually(async () => expect(await redis.ping()).toBe('PONG'));
    await provideShellTools(platform.logDir);
    const stateDir = path.dirname(platform.logDir);
    observer = await Observer.start(platform.run, { stateDir, logDir: platform.logDir, note: (line) => void notes.push(line), ruleFiles: [hastyRules(stateDir)], intervalSeconds: 1 });
    sale = await shortSale();
  }, installWithinMs);
  afterAll(async () => {
    broker?.release();
    redis?.disconnect();
    await sql?.end();
    await observer?.stop();
    await platform?.stop();
    await broker?.stop();
  });

  /** Five units: two paid, one given back, two unpaid, and buyers who come too late. */
  async function shortSale() {
    const made = await api.armedSale([{ quota: 5 }]);
    const items = [{ itemId: made.items[0]!.id, quantity: 1 }];
    const winners = await Promise.all(Array.from({ length: 5 }, async () => {
      const buyer = api.buyer();
      const { reservationId } = expectStatus(202, await buyer.reserve(made.id, items)) as { reservationId: string };
      await buyer.until(reservationId, ['ORDERED']);
      return { buyer, reservationId };
    }));
    expectStatus(409, await api.buyer().reserve(made.id, items));
    for (const { buyer, reservationId } of winners.slice(0, 2)) await buyer.pay(reservationId);
    await winners[2]!.buyer.cancel(winners[2]!.reservationId);
    return made;
  }

  const ask = <T>(what: string, parameters: Record<string, string> = {}): Promise<T> => new PrometheusClient(observer.url).ask<T>(what, parameters);
  const firing = async (): Promise<string[]> => [...new Set((await new PrometheusClient(observer.url).firing()).map(({ labels }) => labels['alertname']!))];
  const untilFiring = (names: string[]) => eventually(async () => expect(await firing()).toEqual(expect.arrayContaining(names)), patiently);
  const stillFiring = async (names: string[]): Promise<string[]> => (await firing()).filter((name) => names.includes(name));

  async function configure(policy: string, memoryMax: string): Promise<void> {
    await redis.config('SET', 'maxmemory-policy', policy);
    await redis.config('SET', 'maxmemory', memoryMax);
  }

  it('every rule is evaluated without an error, and finds nothing wrong', async () => {
    await eventually(async () => {
      const { groups } = await ask<{ groups: { rules: { name: string; health: string; lastError?: string }[] }[] }>('rules');
      const rules = groups.flatMap((group) => group.rules);
      expect(rules.length).toBeGreaterThan(30);
      expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
    }, patiently);
    const faults = ['Oversold', 'StockUnaccounted', 'RedisOffersTooMuch', 'RedisAway', 'FenceActive', 'BrokerAway', 'ServiceDown', 'DeadLetterWaiting', 'PostgresAway', 'ConsumerDown', 'OutboxStuck', 'CloseLag', 'SagaStuck', 'RedisMayEvict'];
    await eventually(async () => expect(await stillFiring(faults)).toEqual([]), patiently);
  });

  it('every command of a runbook says what its page shows when all is well', async () => {
    const terminal = new Terminal(path.join(path.dirname(platform.logDir), 'terminal'), () => platform.run);
    const commands = Map.groupBy(runbookCommands().map((one) => ({ ...one, command: one.command.replaceAll('SALE_ID', sale.id) })), ({ command }) => command);
    expect(commands.size).toBeGreaterThan(20);
    const wrong: string[] = [];
    for (const [command, pages] of commands) {
      await eventually(async () => {
        const { out } = await terminal.type(command);
        expect({ command, missing: pages.flatMap(({ says }) => missingLines(says.map((line) => line.replaceAll('SALE_ID', sale.id)), out)), out }).toEqual({ command, missing: [], out });
      }, { timeoutMs: 30_000 }).catch((error: Error) => wrong.push(error.message));
    }
    expect(wrong.join('\n')).toBe('');
  }, walkWithinMs);

  it('every metric that rules, dashboards and pages name is exposed', async () => {
    const names = JSON.parse(readFileSync(path.join(repositoryRoot(), 'test/support/exposed-metrics.json'), 'utf8')) as string[];
    await eventually(async () => {
      const texts = await Promise.all(platform.run.services.map(async ({ internalUrl }) => (await fetch(`${internalUrl}/metrics`)).text()));
      // A metric whose labels have had no value yet is known by its type alone.
      const exposed = new Set(texts.flatMap((text) => [...text.matchAll(/^(?:# TYPE )?([a-z_]\w*)[ {]/gm)].map((match) => match[1]!)));
      expect(names.filter((name) => name !== 'up' && !exposed.has(name))).toEqual([]);
    }, patiently);
  });

  it.each(Object.entries(dashboards))('every query of the dashboard %s returns series', async (_name, dashboard) => {
    await eventually(async () => {
      const empty = await Promise.all(queriesOf(dashboard).map(async (query) => {
        const { result } = await ask<{ result: unknown[] }>('query', { query: withoutVariables(query) });
        return result.length === 0 ? [query] : [];
      }));
      expect(empty.flat()).toEqual([]);
    }, patiently);
  });

  it('the stock of the sale adds up', async () => {
    await eventually(async () => {
      const { result } = await ask<{ result: { metric: { fate: string }; value: [number, string] }[] }>('query', { query: `floodgate_stock_units{sale="${sale.id}"}` });
      expect(Object.fromEntries(result.map(({ metric, value }) => [metric.fate, Number(value[1])]))).toEqual({ available: 1, held: 2, sold: 2, burned: 0 });
      const difference = await ask<{ result: { value: [number, string] }[] }>('query', { query: `floodgate:available_difference{sale="${sale.id}"}` });
      expect(difference.result.map(({ value }) => value[1])).toEqual(['0']);
    }, patiently);
  });

  it('faults of data fire their alerts, which resolve when they are mended', async () => {
    const alerts = ['Oversold', 'RedisOffersTooMuch', 'OutboxStuck', 'RedisMayEvict', 'RedisMemoryHigh', 'DeadLetterWaiting', 'SagaStuck'];
    await sql.query(`
      ALTER TABLE orders.lane_item DROP CONSTRAINT no_oversell;
      CREATE FUNCTION public.refuse_poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'poisoned account'; END $$;
      CREATE TRIGGER refuse_poison BEFORE INSERT ON orders.orders FOR EACH ROW WHEN (NEW.account_id LIKE 'poison%' AND NEW.state = 'PENDING') EXECUTE FUNCTION public.refuse_poison();`);
    const other = await api.armedSale([{ quota: 5 }]);
    const { reservationId } = expectStatus(202, await api.buyer(`poison-${randomUUID()}`).reserve(other.id, [{ itemId: other.items[0]!.id, quantity: 1 }])) as { reservationId: string };
    await sql.query('UPDATE orders.lane_item SET held = held + 100 WHERE sale_id = $1', [sale.id]);
    const [{ id: outboxId }] = (await sql.query(`INSERT INTO orders.outbox (name, body, next_at) VALUES ('order.closed', '{}', 'infinity') RETURNING id`)).rows as [{ id: string }];
    const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
    await configure('allkeys-lru', String(Math.round(used * 1.25)));
    try {
      await untilFiring(alerts);
    } finally {
      await configure('noeviction', '1gb');
      await sql.query('DELETE FROM orders.outbox WHERE id = $1', [outboxId]);
      await sql.query('UPDATE orders.lane_item SET held = held - 100 WHERE sale_id = $1', [sale.id]);
    }
    const letter = expectStatus(200, await api.admin('operator', 'GET', '/dead-letters?limit=100')).items.find((one: { reservationIds: string[] }) => one.reservationIds.includes(reservationId));
    expectStatus(200, await api.admin('operator', 'POST', `/dead-letters/${letter.id}/discard`, { reason: 'cannot be repaired' }));
    await eventually(async () => expect(await stillFiring(alerts)).toEqual([]), patiently);
  });

  it('servers and services that are away fire theirs', async () => {
    const alerts = ['RedisAway', 'FenceActive', 'ServiceDown', 'CloseLag', 'TransactionOld'];
    const notification = platform.run.services.find(({ name }) => name === 'notification')!.pid;
    // Unpaid orders past their time that cannot be closed, and a transaction that somebody forgot.
    await sql.query(`
      CREATE FUNCTION public.refuse_closing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'cannot be closed'; END $$;
      CREATE TRIGGER refuse_closing BEFORE UPDATE ON orders.orders FOR EACH ROW WHEN (NEW.state = 'CLOSING') EXECUTE FUNCTION public.refuse_closing();`);
    await sql.query(`UPDATE orders.orders SET pay_by = clock_timestamp() WHERE sale_id = $1 AND state = 'PENDING'`, [sale.id]);
    const forgotten = new pg.Client({ connectionString: platform.run.postgres.url });
    await forgotten.connect();
    await forgotten.query('BEGIN');
    await forgotten.query('SELECT 1');
    process.kill(notification, 'SIGSTOP');
    process.kill(platform.run.redis.pid, 'SIGSTOP');
    try {
      await untilFiring(alerts);
    } finally {
      await forgotten.end();
      await sql.query('DROP TRIGGER refuse_closing ON orders.orders');
      process.kill(platform.run.redis.pid, 'SIGCONT');
      process.kill(notification, 'SIGCONT');
    }
    await eventually(async () => expect(await stillFiring(alerts)).toEqual([]), patiently);
  });

  it('a broker that is away fires its own', async () => {
    const alerts = ['BrokerAway', 'ConsumerDown', 'BoardStale'];
    broker.refuse();
    try {
      await untilFiring(alerts);
    } finally {
      broker.accept();
    }
    await eventually(async () => expect(await stillFiring(alerts)).toEqual([]), patiently);
  });

  describe('the path of whoever is on call', () => {
    const sections = new Map<string, string>();
    const page = (): string => readFileSync(path.join(repositoryRoot(), 'docs/on-call.md'), 'utf8');

    it.each(walks.map(({ title, go }) => [title, go] as const))('%s: the alert, the panel, the page, the command, and its end', async (title, go) => {
      const way = new Path(new PrometheusClient(observer.url), new Terminal(path.join(path.dirname(platform.logDir), 'terminal'), () => platform.run));
      await go(way, { api, sql, run: platform.run });
      sections.set(title, way.text);
      expect(page()).toContain(`## ${title}\n\n${way.text}\n`);
    }, walkWithinMs);

    it('docs/on-call.md is what was walked', () => {
      writeFileSync(path.join(floodgateDir(), 'on-call.md'), onCallPage(sections));
      expect(page()).toBe(onCallPage(sections));
    });
  });
});
