import 'reflect-metadata';
import type { Attempt } from '@floodgate/contracts';
import { MessagingHarness } from '@floodgate/platform/testing';
import { PlatformClock } from '../../../apps/gateway/src/board/platform-clock.js';
import { SeckillClient } from '../../../apps/gateway/src/reservation/seckill.client.js';
import { beMeasured, settings } from './program.js';

/** The gateway's way to seckill, with nothing before and nothing behind it. */
const harness = await MessagingHarness.start({ url: settings.amqpUrl, namespace: settings.namespace, service: 'hop-asker' });
await harness.ready();
const clock = new PlatformClock();
clock.see(Date.now());
const client = new SeckillClient(harness.client, clock);

await beMeasured(256, async (nth) => {
  const attempt: Attempt = { rid: `Bench1.${String(nth).padStart(22, '0')}`, accountId: `bench-${nth % 4_000}`, ipHash: '', gate: 'clear', items: 'Bench1-1:1' };
  const { word } = await client.reserve('Bench1', 0, attempt);
  if (word !== 'reserved') throw new Error(word);
  return 1;
});
