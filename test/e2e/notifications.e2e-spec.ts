import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PretendRobot } from '@floodgate/platform/testing';
import { Api, expectStatus } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { startPlatform, type Platform } from '../support/platform.js';

const secret = 'alerts-q7Hk2ZpX9vLw4NbT8sRd3YcMf6GjUa5E';
const patiently = { timeoutMs: 90_000 };

describe('promise: the team is told of alerts and of each sale, once, by robots it has chosen', () => {
  let platform: Platform;
  let api: Api;
  let feishu: PretendRobot;
  let dingtalk: PretendRobot;
  beforeAll(async () => {
    [feishu, dingtalk] = await Promise.all([PretendRobot.start('feishu'), PretendRobot.start('dingtalk')]);
    platform = await startPlatform({ serviceEnv: async () => ({ notification: { ALERTS_SECRET: secret, DIGEST_EVERY_S: '86400', SALE_LINK: 'https://shop.example/{saleId}' } }) });
    api = new Api(platform.run);
    const save = async (name: string, kind: string, { url, secret: key }: PretendRobot, hears: string[]) =>
      expectStatus(200, await api.admin('operator', 'PUT', `/channels/${name}`, { kind, url, secret: key, hears }));
    await save('sales-room', 'feishu', feishu, ['digests']);
    await save('on-call', 'dingtalk', dingtalk, ['alerts']);
  });
  afterAll(async () => {
    await platform?.stop();
    await feishu?.stop();
    await dingtalk?.stop();
  });

  it('a sale at its opening, when it is sold out, and at its end', async () => {
    const sale = await api.armedSale([{ quota: 2 }], { paymentWindowSeconds: 3_600 });
    const titles = () => feishu.texts.join('\n').match(/(?:OPEN|on sale|SOLD OUT|ENDED): .*/g);
    await eventually(() => expect(titles()).toEqual(['OPEN: Test sale']), patiently);
    const items = [{ itemId: sale.items[0]!.id, quantity: 1 }];
    for (let unit = 0; unit < 2; unit++) {
      const buyer = api.buyer();
      const { reservationId } = expectStatus(202, await buyer.reserve(sale.id, items)) as { reservationId: string };
      await buyer.until(reservationId, ['ORDERED']);
    }
    await eventually(() => expect(titles()).toEqual(['OPEN: Test sale', 'SOLD OUT: Test sale']), patiently);
    expectStatus(200, await api.admin('operator', 'POST', `/sales/${sale.id}/close`));
    await eventually(() => expect(titles()).toEqual(['OPEN: Test sale', 'SOLD OUT: Test sale', 'ENDED: Test sale']), patiently);
    expect(feishu.texts.join('\n')).toContain(`reserved 2, ordered 2, paid 0, waiting 2, released 0\n`);
    expect(feishu.texts.join('\n')).toContain(`0 of 2 units remain\n`);
    expect(feishu.texts.join('\n')).toContain(`https://shop.example/${sale.id}`);
  });

  it('an alert, through the internal listener, by whoever knows the secret', async () => {
    const { internalUrl } = platform.run.services.find(({ name }) => name === 'notification')!;
    const alerts = [{ status: 'firing', labels: { alertname: 'RedisAway', severity: 'page' }, annotations: { summary: 'Redis does not answer' }, startsAt: '2026-11-28T10:00:00Z', fingerprint: 'abc123' }];
    const post = (authorization: string) => fetch(`${internalUrl}/alerts`, { method: 'POST', headers: { authorization, 'content-type': 'application/json' }, body: JSON.stringify({ version: '4', alerts }) });
    expect((await post('Bearer guessed')).status).toBe(401);
    expect([(await post(`Bearer ${secret}`)).status, (await post(`Bearer ${secret}`)).status]).toEqual([200, 200]);
    await eventually(() => expect(dingtalk.texts).toEqual(['FIRING page: RedisAway\nRedis does not answer\nsince 2026-11-28T10:00:00.000Z']), patiently);
    expect(feishu.texts.join('\n')).not.toContain('RedisAway');
    expect((await fetch(`${platform.run.gatewayUrl}/alerts`, { method: 'POST' })).status).toBe(404);
  });
});
