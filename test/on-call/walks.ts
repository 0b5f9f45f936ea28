import { connect, type Socket } from 'node:net';
import { expect } from '@jest/globals';
import pg from 'pg';
import type { TestRun } from '../support/platform.js';
import { expectStatus, type Api, type Buyer } from '../support/api.js';
import type { Path } from './path.js';

/** What a fault is caused in. */
export interface Scene {
  readonly api: Api;
  readonly sql: pg.Client;
  readonly run: TestRun;
}

export interface Walk {
  readonly title: string;
  /** Causes the fault, goes the path, and leaves nothing behind, not even where a step fails. */
  readonly go: (path: Path, scene: Scene) => Promise<void>;
}

/** Ids of a page are as long as real ones, so that columns stay where they are. */
const saleName = 'SALE123456';

/** The five faults of docs/on-call.md. */
export const walks: readonly Walk[] = [
  { title: 'A message that nobody can process', go: deadLetter },
  { title: 'A Redis that is busy with something else', go: busyRedis },
  { title: 'A service that hangs', go: hangingService },
  { title: 'A transaction that somebody forgot', go: forgottenTransaction },
  { title: 'Counters that somebody set by hand', go: countersByHand },
];

async function deadLetter(path: Path, scene: Scene): Promise<void> {
  const { sql } = scene;
  path.says('A rule that was added to the database this morning refuses the orders of some accounts. Their buyers have their 202, and see "queued".');
  await sql.query(`
    CREATE FUNCTION public.refuse_account() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'account is not on the list'; END $$;
    CREATE TRIGGER refuse_account BEFORE INSERT OR UPDATE ON orders.orders FOR EACH ROW WHEN (NEW.account_id LIKE 'unlisted%' AND NEW.state = 'PENDING') EXECUTE FUNCTION public.refuse_account();`);
  try {
    const { reservationId, buyer } = await reserved(path, scene, 'unlisted');
    await path.arrives('DeadLetterWaiting');
    await path.shows('queues', 'Dead letters', { waiting: 1 });
    path.says('[The page](runbooks/dead-letter-waiting.md) asks for the letter and its last error, and has its replay rehearsed before anything is changed:');
    const { out } = await path.types('npx floodgate dead-letters list --state waiting');
    const [, letter = ''] = /^(dl-\S+) /m.exec(out)!;
    path.calls(letter, 'dl-LETTER1234567890');
    await path.types(`npx floodgate dead-letters replay ${letter} --dry-run`, { exit: 1, until: 'would-die-again' });
    path.says('It would die again: the cause first. It is the rule.');
    await path.types('psql $DATABASE_URL -Atc "DROP TRIGGER refuse_account ON orders.orders"');
    await path.types(`npx floodgate dead-letters replay ${letter} --dry-run`, { until: 'would-be-processed' });
    await path.types(`npx floodgate dead-letters replay ${letter}`);
    path.says('The buyer has the order now, and nothing waits for anybody:');
    await buyer.until(reservationId, ['ORDERED'], 60_000);
    await path.types('npx floodgate dead-letters list --state waiting', { lines: 1 });
    await path.isOver('DeadLetterWaiting');
  } finally {
    await sql.query('DROP FUNCTION public.refuse_account CASCADE');
  }
}

async function busyRedis(path: Path, scene: Scene): Promise<void> {
  path.says('Somebody runs a script by hand in the Redis of the sale, and it does not end. Nobody can reserve; orders and payments go on.');
  const { saleId } = await reserved(path, scene);
  const somebody = endlessScript(new URL(scene.run.redis.url));
  try {
    await path.arrives('RedisAway');
    await path.shows('service', 'Servers', { Redis: 0 });
    path.says('[The page](runbooks/redis-away.md) asks whether it is up, and whether it is busy:');
    await path.types('redis-cli -u $REDIS_URL ping', { until: 'BUSY' });
    path.says('A Redis that forgot is rebuilt from Postgres, so ending it is safe. Its supervisor starts it again.');
    await path.types('redis-cli -u $REDIS_URL shutdown nosave', { once: true });
    path.says('It answers, and the [fence](runbooks/fence-active.md) opens when every lane is loaded:');
    await path.types('redis-cli -u $REDIS_URL ping', { until: 'PONG' });
    await path.types("curl -s -m 5 $INTERNAL_SECKILL/metrics | grep '^floodgate_lanes_closed'", { until: '} 0' });
    await path.shows('stock-and-audit', 'Fence', { 'closed lanes': 0 });
    await path.isOver('RedisAway', 'FenceActive');
    path.says('Whoever had a unit has it still:');
    await path.types(`npx floodgate audit ${saleId}`, { until: 'clean' });
  } finally {
    somebody.destroy();
  }
}

/** By hand, on a bare connection: a client library would ask for it again when Redis is back. */
function endlessScript({ hostname, port, password }: URL): Socket {
  const socket = connect(Number(port), hostname).on('error', () => undefined); // it ends with its server
  socket.write(`AUTH ${decodeURIComponent(password)}\r\nEVAL "while true do end" 0\r\n`);
  return socket;
}

async function hangingService(path: Path, scene: Scene): Promise<void> {
  path.says('The process of order stands still. It has not died, so nobody starts it again; buyers get their 202 and wait for the order.');
  const { pid } = scene.run.services.find(({ name }) => name === 'order')!;
  const { saleId, buyer, items } = await reserved(path, scene);
  process.kill(pid, 'SIGSTOP');
  try {
    expectStatus(202, await buyer.reserve(saleId, items));
    await path.arrives('ServiceDown');
    await path.shows('service', 'Up', { '{{instance}}': 0 }, { service: 'order' });
    path.says('[The page](runbooks/service-down.md) asks it whether it lives:');
    await path.types("curl -s -m 5 -o /dev/null -w '%{http_code}' $INTERNAL_ORDER/livez", { exit: 28 });
    path.says('It does not answer, and every process may be killed at any moment without loss. On this machine (in a cluster: `kubectl -n floodgate delete pod`):');
    await path.types('kill -9 $(jq \'.services[] | select(.name == "order").pid\' .floodgate/run.json)');
    await path.types("curl -s -m 5 -o /dev/null -w '%{http_code}' $INTERNAL_ORDER/livez", { until: '200' });
    await path.isOver('ServiceDown');
    path.says('What was reserved meanwhile has become an order:');
    await path.types(`npx floodgate tail ${saleId} --count 1`, { until: 'remaining 8 of 10 (sold out: 0 of 1 items)  reserved 2  ordered 2' });
  } finally {
    continueProcess(pid);
  }
}

async function forgottenTransaction(path: Path, scene: Scene): Promise<void> {
  path.says('Somebody has looked something up in the database, locked a table for it, and gone to lunch. Orders wait for the lock; buyers see "queued".');
  const forgotten = new pg.Client({ connectionString: scene.run.postgres.url });
  forgotten.on('error', () => undefined); // its end is the end of this walk
  await forgotten.connect();
  const { saleId, buyer, items } = await reserved(path, scene);
  await forgotten.query('BEGIN');
  await forgotten.query('LOCK TABLE orders.orders IN SHARE MODE');
  try {
    expectStatus(202, await buyer.reserve(saleId, items));
    await path.arrives('TransactionOld');
    await path.shows('service', 'Servers', { 'oldest transaction': { atLeast: 5 } });
    path.says('[The page](runbooks/transaction-old.md) asks who it is:');
    const { out } = await path.types(oldestTransactions, { until: 'LOCK TABLE' });
    const [pid = ''] = out.split('|');
    path.calls(`${pid}|`, '4711|');
    path.calls(`(${pid})`, '(4711)');
    path.says('Every statement of ours can be repeated, and this one is none of ours:');
    await path.types(`psql $DATABASE_URL -Atc "select pg_terminate_backend(${pid})"`, { until: 't' });
    await path.types(oldestTransactions, { lines: 0 });
    await path.isOver('TransactionOld');
    path.says('What waited has become an order:');
    await path.types(`npx floodgate tail ${saleId} --count 1`, { until: 'remaining 8 of 10 (sold out: 0 of 1 items)  reserved 2  ordered 2' });
  } finally {
    await forgotten.end().catch(() => undefined);
  }
}

/** As docs/runbooks/transaction-old.md has it. */
const oldestTransactions = 'psql $DATABASE_URL -Atc "select pid, state, now() - xact_start as open, left(query, 60) from pg_stat_activity where datname = current_database() and now() - xact_start > interval \'5 s\' order by xact_start limit 1"';

async function countersByHand(path: Path, scene: Scene): Promise<void> {
  path.says('Somebody has "corrected" the counters of a sale in the database. Redis goes on to offer three units that the arbiter will refuse.');
  const { saleId } = await reserved(path, scene);
  await scene.sql.query('UPDATE orders.lane_item SET held = held + 3 WHERE sale_id = $1', [saleId]);
  await path.arrives('RedisOffersTooMuch');
  await path.shows('stock-and-audit', 'Postgres less Redis', { '{{sale}}': -3 }, { sale: saleId });
  path.says('[The page](runbooks/redis-offers-too-much.md) asks for the audit. It names the item, and does not find three reservations behind the units:');
  await path.types(`npx floodgate audit ${saleId}`, { exit: 1, until: 'broken' });
  path.says('Nobody shall be promised what is not there: the sale is paused, which loses nothing that was sold. Then the write is undone, in one statement, and nothing else is set.');
  await path.types(`npx floodgate sale pause ${saleId}`);
  await path.types(`psql $DATABASE_URL -Atc "update orders.lane_item set held = held - 3 where sale_id = '${saleId}'"`, { until: 'UPDATE 1' });
  await path.types(`npx floodgate audit ${saleId}`, { until: 'clean' });
  await path.types(`npx floodgate sale resume ${saleId}`);
  await path.isOver('RedisOffersTooMuch');
}

/** A sale of ten units that is open, and a buyer of one. */
async function reserved(path: Path, { api }: Scene, who = 'buyer'): Promise<{ saleId: string; items: { itemId: string; quantity: number }[]; buyer: Buyer; reservationId: string }> {
  const sale = await api.armedSale([{ quota: 10 }]);
  const items = [{ itemId: sale.items[0]!.id, quantity: 1 }];
  const buyer = api.buyer(`${who}-${sale.id}`);
  const { reservationId } = expectStatus(202, await buyer.reserve(sale.id, items)) as { reservationId: string };
  path.calls(reservationId, `${saleName}.RESERVATION12345678901`);
  path.calls(sale.id, saleName);
  if (who === 'buyer') expect((await buyer.until(reservationId, ['ORDERED'], 60_000)).state).toBe('ORDERED');
  return { saleId: sale.id, items, buyer, reservationId };
}

/** A process that was killed meanwhile needs nothing. */
function continueProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // it is gone, as the walk wanted
  }
}
