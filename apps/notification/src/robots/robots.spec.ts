import { describe, expect, it } from '@jest/globals';
import type { OutboundAnswer } from '@floodgate/platform';
import { isRobotKind, robots } from './robots.js';

const answer = (status: number, body: string, headers: OutboundAnswer['headers'] = {}): OutboundAnswer => ({ status, headers, body: Buffer.from(body) });
const target = { url: 'https://robot.example/send?access_token=abc', secret: 'SECabc' };
const nowMs = Date.UTC(2026, 10, 28, 10);
const bodyOf = (kind: keyof typeof robots, title: string, lines: string[] = [], link: string | null = null): any => JSON.parse(robots[kind].write({ title, lines, link }, target, nowMs).body);

describe('a robot is written to in its own format', () => {
  it('WeCom', () => expect(bodyOf('wecom', 'T', ['a'], 'https://x.example/')).toEqual({ msgtype: 'text', text: { content: 'T\na\nhttps://x.example/', mentioned_list: [], mentioned_mobile_list: [] } }));

  it('Feishu, signed over the seconds', () => expect(bodyOf('feishu', 'T', ['a'], 'https://x.example/')).toEqual({
    timestamp: '1795860000', sign: 'UHxjyEbINrXl887RS4eTZTxP6wEiwHZtxncJCepdKfM=', msg_type: 'post',
    content: { post: { zh_cn: { title: 'T', content: [[{ tag: 'text', text: 'a' }], [{ tag: 'a', text: 'https://x.example/', href: 'https://x.example/' }]] } } },
  }));

  it('DingTalk, signed over the milliseconds', () => {
    expect(bodyOf('dingtalk', 'T', ['a'])).toEqual({ msgtype: 'text', text: { content: 'T\na' }, at: { atMobiles: [], atUserIds: [], isAtAll: false } });
    expect(robots.dingtalk.write({ title: 'T', lines: [], link: null }, target, nowMs).url).toBe('https://robot.example/send?access_token=abc&timestamp=1795860000000&sign=DOPnGUdrHesyhwc8ApEpzxPcZ0sKPp%2FL03Hv9Z1NzG0%3D');
  });

  it('Slack', () => expect(bodyOf('slack', 'T', ['a'])).toEqual({ text: 'T\na', mrkdwn: false, link_names: false, unfurl_links: false }));

  it('a listener of one\'s own', () => {
    expect(bodyOf('webhook', 'T', ['a'])).toEqual({ title: 'T', lines: ['a'], link: null });
    expect(robots.webhook.write({ title: 'T', lines: ['a'], link: null }, target, nowMs).headers['x-signature']).toBe('t=1795860000,v1=669e20f1a80bfa312e48be5a63edce0a843e960f17fa7ef00ace1e991540eddf');
  });
});

it.each([['wecom', /<@/], ['slack', /<[@!#]/]] as const)('nothing that is written to %s calls anybody', (kind, calls) => {
  expect(JSON.stringify(bodyOf(kind, 'alert <!channel> <@U123> <@all> & more'))).not.toMatch(calls);
});

describe('what a robot answers', () => {
  it.each<[keyof typeof robots, OutboundAnswer, boolean, number | undefined]>([
    ['wecom', answer(200, '{"errcode":0,"errmsg":"ok"}'), true, undefined],
    ['wecom', answer(200, '{"errcode":93000,"errmsg":"invalid webhook url"}'), false, undefined],
    ['wecom', answer(200, '{"errcode":45009,"errmsg":"api freq out of limit"}'), false, 60_000],
    ['wecom', answer(200, '<html>a proxy</html>'), false, undefined],
    ['wecom', answer(502, '{"errcode":0}'), false, undefined],
    ['feishu', answer(200, '{"code":0,"msg":"success"}'), true, undefined],
    ['feishu', answer(200, '{"StatusCode":0,"StatusMessage":"success"}'), true, undefined],
    ['feishu', answer(200, '{"code":19021,"msg":"sign match fail"}'), false, undefined],
    ['feishu', answer(200, '{"code":11232,"msg":"frequency limited"}'), false, 60_000],
    ['dingtalk', answer(200, '{"errcode":0,"errmsg":"ok"}'), true, undefined],
    ['dingtalk', answer(200, '{"errcode":310000,"errmsg":"sign not match"}'), false, undefined],
    ['dingtalk', answer(200, '{"errcode":130101,"errmsg":"send too fast"}'), false, 600_000],
    ['slack', answer(200, 'ok'), true, undefined],
    ['slack', answer(404, 'no_service'), false, undefined],
    ['slack', answer(302, ''), false, undefined],
    ['slack', answer(429, 'rate_limited', { 'retry-after': '30' }), false, 30_000],
    ['webhook', answer(204, ''), true, undefined],
    ['webhook', answer(500, 'broken'), false, undefined],
    ['webhook', answer(503, '', { 'retry-after': '999999' }), false, 3_600_000],
  ])('%s: %j', (kind, given, ok, waitMs) => {
    const sent = robots[kind].read(given);
    expect([sent.ok, 'waitMs' in sent ? sent.waitMs : undefined]).toEqual([ok, waitMs]);
  });
});

it('mail is no robot', () => expect([isRobotKind('mail'), isRobotKind('toString'), isRobotKind('slack')]).toEqual([false, false, true]));
