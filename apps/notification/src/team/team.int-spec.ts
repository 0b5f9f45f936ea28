import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Answer, Ask } from '@floodgate/contracts';
import { Database, OutboundClient, OutboundRefusedError } from '@floodgate/platform';
import { eventually, PretendRobot, startService, type RunningService } from '@floodgate/platform/testing';
import { AppModule } from '../app.module.js';
import { Channel } from '../channels/channel.js';
import { robots, type RobotKind } from '../robots/robots.js';
import { MailServer } from '../support/mail.server.js';
import { SendJob } from './send.job.js';
import { TeamModule } from './team.module.js';
import { TeamMessageStore, type TeamNews } from './team-message.store.js';

const kinds = Object.keys(robots) as RobotKind[];
const actor = { accountId: 'o-test', roles: ['operator'] };
let service: RunningService;
let mail: MailServer;
/** As it is in production, but that this machine's own address counts as of the open internet while `isLenient`. */
let isLenient = true;
const outbound = new OutboundClient({ reach: 'any', timeoutMs: 5_000, isAllowed: () => isLenient });

const start = (beside?: RunningService['place']): Promise<RunningService> => startService(
  (urls) => AppModule.with({ ...urls, SMTP_URL: mail.url, MAIL_FROM: 'floodgate@shop.example', BUYER_MAIL: 'account-{accountId}@relay.example' }),
  (builder) => builder.overrideProvider(OutboundClient).useValue(outbound), beside);
beforeAll(async () => {
  mail = await MailServer.start();
  service = await start();
});
afterAll(async () => {
  await service.stop();
  await mail.stop();
});
afterEach(async () => {
  isLenient = true;
  mail.isBusy = false;
  for (const { name } of await channels()) await service.client.ask('remove-channel', { actor, name });
});

const save = (changes: Partial<Ask<'save-channel'>>): Promise<Answer<'save-channel'>> =>
  service.client.ask('save-channel', { actor, name: 'on-call', kind: 'wecom', url: 'http://127.0.0.1:9/', secret: null, hears: ['alerts'], ...changes });
async function channels() {
  const list = await service.client.ask('list-channels', { limit: 100, cursor: null });
  if (!list.ok) throw new Error(list.detail);
  return list.value.items;
}
const the = async (name = 'on-call') => (await channels()).find((one) => one.name === name)!;
const news = (title: string, lines: string[] = []): TeamNews => ({ occasion: `o:${title}`, title, lines, link: null });
const tell = (...list: TeamNews[]) => service.get(Database).transaction((tx) => service.get(TeamMessageStore).add(tx, 'alerts', list));
const send = () => service.get(SendJob).tick();
/** Moves everything of a channel and the robot's clock on by so much. */
async function pass(robot: PretendRobot, ms: number): Promise<void> {
  robot.aheadMs += ms;
  await service.get(Database).query(`UPDATE channel SET next_at = next_at - $1::int * interval '1 millisecond',
    sent_at = ARRAY(SELECT at - $1::int * interval '1 millisecond' FROM unnest(sent_at) AS at)`, [ms]);
}
async function withRobot(kind: RobotKind, work: (robot: PretendRobot) => Promise<void>): Promise<void> {
  const robot = await PretendRobot.start(kind);
  try {
    expect(await save({ kind, url: robot.url, secret: robot.secret })).toMatchObject({ ok: true });
    await work(robot);
  } finally {
    await robot.stop();
  }
}

describe.each(kinds)('a %s channel', (kind) => {
  it('is told in its own format, signed where it signs, each thing once', () => withRobot(kind, async (robot) => {
    const one = news(`Redis does not answer <!channel> & "more" ${randomUUID()}`, ['page', 'since 10:00']);
    expect([await tell(one), await tell(one)]).toEqual([1, 0]);
    await eventually(() => expect(robot.texts).toEqual([`${one.title}\npage\nsince 10:00`]));
    expect(await tell(one)).toBe(0);
    await send();
    expect(robot.heard).toHaveLength(1);
    await eventually(async () => expect(await the()).toMatchObject({ waiting: 0, lastError: null, lastSentAt: expect.any(String) }));
  }));

  it('that may not be sent to yet is told everything in one message that it takes', () => withRobot(kind, async (robot) => {
    await service.get(Database).query("UPDATE channel SET next_at = clock_timestamp() + interval '1 hour'");
    await tell(...Array.from({ length: 60 }, (_, index) => news(`Alert ${index} of ${robot.url}`, ['x'.repeat(60)])));
    await send();
    expect([robot.heard, robot.tooMany]).toEqual([[], 0]);
    await pass(robot, 3_600_000);
    await send();
    await eventually(async () => expect(await the()).toMatchObject({ waiting: 0 }));
    expect([robot.heard.length, robot.tooMany]).toEqual([1, 0]);
    expect(robot.texts[0]).toMatch(/^60 messages\n- Alert 0 /);
    const told = robot.texts[0]!.match(/^- Alert/gm)!.length;
    expect(robot.texts[0]!.match(/and (\d+) more$/)?.[1]).toBe(told === 60 ? undefined : String(60 - told));
  }));

  it('that refuses is tried again later, and takes what came meanwhile, too', () => withRobot(kind, async (robot) => {
    robot.broken = kind === 'slack' || kind === 'webhook' ? { status: 500, body: 'broken' } : { status: 200, body: '{"errcode":-1,"errmsg":"system busy","code":9499,"msg":"busy"}' };
    await tell(news(`A ${robot.url}`));
    await eventually(async () => expect(await the()).toMatchObject({ waiting: 1, lastError: expect.stringMatching(/^HTTP [25]00/), lastSentAt: null }));
    await tell(news(`B ${robot.url}`));
    robot.broken = null;
    await pass(robot, 20 * 60_000);
    await send();
    await eventually(() => expect(robot.texts).toEqual([`2 messages\n- A ${robot.url}\n- B ${robot.url}`]));
    await eventually(async () => expect(await the()).toMatchObject({ waiting: 0, lastError: null }));
  }));
});

describe('a limit', () => {
  it('is kept message by message: twenty a minute, the next one when the first is a minute old', () => withRobot('wecom', async (robot) => {
    for (let message = 1; message <= 20; message++) {
      await tell(news(`N${message} of ${robot.url}`));
      await send();
      await eventually(() => expect(robot.heard).toHaveLength(message));
      await eventually(async () => expect(await the()).toMatchObject({ waiting: 0 }));
    }
    const [row] = await service.get(Database).query<{ wait: number; count: number }>('SELECT extract(epoch FROM next_at - sent_at[20])::float8 AS wait, cardinality(sent_at) AS count FROM channel');
    expect(row).toEqual({ wait: 60, count: 20 });
    await tell(news(`N21 of ${robot.url}`));
    await pass(robot, 60_000);
    await eventually(() => expect(robot.heard).toHaveLength(21));
    expect(robot.tooMany).toBe(0);
  }));

  it('that the robot counts otherwise locks the channel for as long as the robot says', () => withRobot('dingtalk', async (robot) => {
    robot.broken = { status: 200, body: '{"errcode":130101,"errmsg":"send too fast"}' };
    await tell(news(`A ${robot.url}`));
    await eventually(async () => expect(await the()).toMatchObject({ lastError: 'HTTP 200, code 130101: send too fast' }));
    const [row] = await service.get(Database).query<{ wait: number }>('SELECT extract(epoch FROM next_at - clock_timestamp())::float8 AS wait FROM channel');
    expect(row!.wait).toBeGreaterThan(500);
    expect(row!.wait).toBeLessThanOrEqual(600);
  }));
});

describe('an internal address', () => {
  it('is refused when it is saved, and nothing is saved', async () => {
    isLenient = false;
    for (const url of ['http://127.0.0.1:9/', 'http://10.0.0.1/', 'http://[::1]/']) {
      expect(await save({ url })).toMatchObject({ ok: false, code: 'INVALID_REQUEST', extra: { errors: [{ path: '/url', message: expect.stringContaining('not on the open internet') }] } });
    }
    expect(await channels()).toEqual([]);
  });

  it('is refused again when it is connected to, whatever it was when it was saved', () => withRobot('webhook', async (robot) => {
    isLenient = false;
    await tell(news(`A ${robot.url}`));
    await eventually(async () => expect(await the()).toMatchObject({ waiting: 1, lastError: expect.stringContaining('not on the open internet') }));
    expect(robot.heard).toEqual([]);
  }));

  it('is what production refuses', async () => {
    const { useValue } = TeamModule.with({ NODE_ENV: 'production' }).providers!.find((one) => 'provide' in one && one.provide === OutboundClient) as { useValue: OutboundClient };
    await expect(useValue.check('https://127.0.0.1/')).rejects.toThrow(OutboundRefusedError);
    await expect(useValue.check('http://8.8.8.8/')).rejects.toThrow(OutboundRefusedError);
  });
});

describe('a channel', () => {
  it('is saved, shown without its key and its secret, tested, replaced and removed, all on record', async () => {
    const robot = await PretendRobot.start('webhook');
    try {
      expect(await save({ kind: 'webhook', url: robot.url })).toMatchObject({ ok: false, extra: { errors: [{ path: '/secret', message: expect.any(String) }] } });
      expect(await save({ kind: 'webhook', url: robot.url, secret: robot.secret })).toMatchObject({ ok: true, value: { signed: true, leadsTo: new URL(robot.url).host } });
      expect(await service.client.ask('test-channel', { actor, name: 'on-call' })).toEqual({ ok: true, value: { name: 'on-call', outcome: 'sent', error: null } });
      expect(robot.texts).toEqual([expect.stringContaining('Floodgate: a test message')]);
      expect(JSON.stringify(await channels())).not.toMatch(/the-key|SEC-/);
      await save({ hears: ['digests'] });
      expect(await the()).toMatchObject({ kind: 'wecom', signed: false, hears: ['digests'] });
      expect(await tell(news('nobody hears it'))).toBe(0);
      expect(await service.client.ask('remove-channel', { actor, name: 'on-call' })).toEqual({ ok: true, value: null });
      expect(await service.client.ask('test-channel', { actor, name: 'on-call' })).toMatchObject({ ok: false, code: 'NOT_FOUND' });
      const acts = () => service.heard.flatMap((one) => (one.name === 'admin.acted' && one.body.subject === 'on-call' ? [one.body.action] : [])).slice(-4);
      await eventually(() => expect(acts().sort()).toEqual(['remove-channel', 'save-channel', 'save-channel', 'test-channel']));
      expect(JSON.stringify(service.heard)).not.toMatch(/the-key|SEC-/);
    } finally {
      await robot.stop();
    }
  });

  it('that nobody answers at holds up no other', () => withRobot('wecom', async (robot) => {
    await save({ name: 'away', url: 'http://127.0.0.1:9/' });
    await tell(news(`A ${robot.url}`));
    await eventually(() => expect(robot.heard).toHaveLength(1));
    await eventually(async () => expect(await the('away')).toMatchObject({ waiting: 1, lastError: expect.any(String) }));
  }));

  it('is sent to by one of several instances', () => withRobot('webhook', async (robot) => {
    const other = await start(service.place);
    try {
      await tell(news(`A ${robot.url}`), news(`B ${robot.url}`));
      await Promise.all([send(), other.get(SendJob).tick(), send(), other.get(SendJob).tick()]);
      await eventually(async () => expect(await the()).toMatchObject({ waiting: 0 }));
      expect(robot.texts.join('\n').match(/\b[AB] http/g)).toHaveLength(2);
    } finally {
      await other.stop();
    }
  }));
});

describe('mail', () => {
  it('brings the team its messages, and is tried again', async () => {
    expect(await save({ kind: 'mail', url: 'mailto:on-call@shop.example?bcc=me@elsewhere.example' })).toMatchObject({ ok: false, code: 'INVALID_REQUEST' });
    expect(await save({ kind: 'mail', url: 'mailto:on-call@shop.example' })).toMatchObject({ ok: true, value: { leadsTo: 'mail at shop.example' } });
    mail.isBusy = true;
    await tell(news('Redis does not answer\r\nBcc: me@elsewhere.example', ['since 10:00']));
    await eventually(async () => expect(await the()).toMatchObject({ waiting: 1, lastError: expect.stringContaining('busy') }));
    mail.isBusy = false;
    await service.get(Database).query("UPDATE channel SET next_at = '-infinity'");
    await eventually(() => expect(mail.mails).toHaveLength(1));
    expect(mail.mails[0]).toMatchObject({ from: 'floodgate@shop.example', to: ['on-call@shop.example'] });
    expect(mail.mails[0]!.text).toMatch(/^Subject: Redis does not answer Bcc: me@elsewhere\.example\r$/m);
    expect(mail.mails[0]!.text).toContain('since 10:00');
    mail.mails.length = 0;
  });

  it('brings buyers theirs, where it is said how their addresses are made', async () => {
    await service.get(Channel).deliver({ rid: 'Sale000001.x', kind: 'paid', accountId: 'buyer-1', body: 'Paid: we have received 1.99 GBP.' });
    expect(mail.mails).toEqual([expect.objectContaining({ to: ['account-buyer-1@relay.example'], text: expect.stringContaining('Paid: we have received 1.99 GBP.') })]);
    mail.mails.length = 0;
  });
});
