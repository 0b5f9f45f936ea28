import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Database, InternalRoutes } from '@floodgate/platform';
import { eventually, PretendRobot, startService, type RunningService } from '@floodgate/platform/testing';
import { AppModule } from '../app.module.js';
import { SendJob } from '../team/send.job.js';
import { WatchdogJob } from './watchdog.job.js';

const secrets = ['alerts-q7Hk2ZpX9vLw4NbT8sRd3YcMf6GjUa5E', 'next-Wm4xTz8BqK1nVy6PcRj3HsLd9FgAe7Ui'];
const actor = { accountId: 'o-test', roles: ['operator'] };
let service: RunningService;
let robot: PretendRobot;

const start = (beside?: RunningService['place']): Promise<RunningService> =>
  startService((urls) => AppModule.with({ ...urls, ALERTS_SECRET: secrets, WATCHDOG_AWAY_S: 60 }), (builder) => builder, beside);
beforeAll(async () => {
  robot = await PretendRobot.start('webhook');
  service = await start();
  expect(await service.client.ask('save-channel', { actor, name: 'on-call', kind: 'webhook', url: robot.url, secret: robot.secret, hears: ['alerts'] })).toMatchObject({ ok: true });
});
afterAll(async () => {
  await service.stop();
  await robot.stop();
});
beforeEach(async () => {
  await settled();
  robot.heard.length = 0;
});

/** As Alertmanager 0.28 posts it. */
const payload = (...alerts: object[]) => ({
  version: '4', groupKey: '{}:{alertname="RedisAway"}', truncatedAlerts: 0, status: 'firing', receiver: 'floodgate', groupLabels: {}, commonLabels: {}, commonAnnotations: {},
  externalURL: 'http://alertmanager:9093', alerts,
});
const alert = (changes: object = {}) => ({
  status: 'firing', labels: { alertname: 'RedisAway', severity: 'page', service: 'seckill' }, annotations: { summary: 'Redis does not answer', runbook: 'docs/runbooks/redis-away.md' },
  startsAt: '2026-11-28T10:00:00.000Z', endsAt: '0001-01-01T00:00:00Z', generatorURL: 'http://prometheus:9090/graph', fingerprint: 'a1b2c3d4e5f60718', ...changes,
});
const post = (body: unknown, authorization: string | undefined = `Bearer ${secrets[0]}`, to = service) =>
  to.get(InternalRoutes).find('/alerts')!({ authorization, body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) });
/** Lets the channel be sent to at once, until nothing waits. */
const settled = (to = service) => eventually(async () => {
  await to.get(Database).query("UPDATE channel SET next_at = '-infinity', sent_at = '{}'");
  await to.get(SendJob).tick();
  expect(await to.get(Database).query("SELECT FROM team_message WHERE state = 'pending'")).toEqual([]);
});

describe('an alert', () => {
  it('arrives once however often it is repeated, and again when it is resolved', async () => {
    expect(await post(payload(alert()))).toEqual({ status: 200, body: { alerts: 1, added: 1 } });
    expect(await post(payload(alert()), `Bearer ${secrets[1]}`)).toEqual({ status: 200, body: { alerts: 1, added: 0 } });
    await settled();
    await post(payload(alert({ startsAt: '2026-11-28T10:00:00Z' })));
    await post(payload(alert({ status: 'resolved', endsAt: '2026-11-28T10:05:00Z' })));
    await settled();
    expect(robot.texts).toEqual([
      'FIRING page: RedisAway\nRedis does not answer\nservice=seckill\nsince 2026-11-28T10:00:00.000Z\nrunbook: docs/runbooks/redis-away.md\nhttp://alertmanager:9093',
      'resolved: RedisAway\nRedis does not answer\nservice=seckill\nsince 2026-11-28T10:00:00.000Z',
    ]);
  });

  it('with characters that are no text arrives as one line', async () => {
    await post(payload(alert({ fingerprint: 'ab', labels: { alertname: 'A\u0000\nresolved: B' }, annotations: {} })));
    await settled();
    expect(robot.texts).toEqual([expect.stringMatching(/^FIRING: A resolved: B\nsince /)]);
  });

  it('that begins anew is news', async () => {
    await post(payload(alert({ fingerprint: 'bb' })));
    await settled();
    await post(payload(alert({ fingerprint: 'bb', startsAt: '2026-11-28T11:00:00Z' })));
    await settled();
    expect(robot.heard).toHaveLength(2);
  });

  it('comes with those that come at the same time as one message', async () => {
    await service.get(Database).query("UPDATE channel SET next_at = clock_timestamp() + interval '1 hour'");
    await post(payload(...Array.from({ length: 400 }, (_, index) => alert({ fingerprint: `cc${index}`, labels: { alertname: `A${index}`, note: 'x'.repeat(50) } }))));
    await settled();
    expect(robot.texts).toEqual([expect.stringMatching(/^400 messages\n- FIRING: A0\n[^]*\nand \d+ more$/)]);
  });

  it.each<[string, unknown, string | undefined, number]>([
    ['another secret', payload(alert()), 'Bearer something-else', 401], ['no secret', payload(alert()), '', 401], ['no JSON', 'alerts', undefined, 400],
    ['another version', { ...payload(alert()), version: '3' }, undefined, 400], ['an alert without a beginning', payload(alert({ startsAt: 'soon' })), undefined, 400],
    ['a fingerprint that is none', payload(alert({ fingerprint: "'; DROP TABLE channel" })), undefined, 400],
  ])('with %s is refused', async (_, body, authorization, status) => {
    expect((await post(body, authorization)).status).toBe(status);
    await settled();
    expect(robot.heard).toEqual([]);
  });
});

describe('the watchdog', () => {
  const watchdog = payload(alert({ fingerprint: 'dd', labels: { alertname: 'Watchdog', severity: 'ticket' } }));
  const look = () => service.get(WatchdogJob).tick();
  const letPass = (seconds: number) => service.get(Database).query("UPDATE watchdog SET seen_at = seen_at - $1::int * interval '1 second'", [seconds]);

  it('is no news while it is heard, and when it is not, the team is told once; and when it is back', async () => {
    await look();
    await post(watchdog);
    await letPass(50);
    await look();
    await settled();
    expect(robot.heard).toEqual([]);
    await letPass(11);
    await Promise.all([look(), look()]);
    await settled();
    await look();
    expect(robot.texts).toEqual([expect.stringMatching(/^FIRING page: alerts do not arrive\nThe watchdog was last heard at 2/)]);
    await post(watchdog);
    await post(watchdog);
    await settled();
    expect(robot.texts.slice(1)).toEqual([expect.stringMatching(/^resolved: alerts arrive again/)]);
  });
});

it('a restart tells nothing twice, and forgets nothing', async () => {
  await post(payload(alert({ fingerprint: 'ee' })));
  await settled();
  await service.get(Database).query("UPDATE channel SET next_at = clock_timestamp() + interval '1 hour'");
  await post(payload(alert({ fingerprint: 'ff' })));
  const after = await start(service.place);
  try {
    expect((await post(payload(alert({ fingerprint: 'ee' }), alert({ fingerprint: 'ff' })), undefined, after)).body).toMatchObject({ added: 0 });
    await settled(after);
    expect(robot.heard).toHaveLength(2);
  } finally {
    await after.stop();
  }
});
