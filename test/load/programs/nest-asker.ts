import { Logger } from '@nestjs/common';
import { ClientProxyFactory, Transport } from '@nestjs/microservices';
import { firstValueFrom } from 'rxjs';
import type { GrabAnswer, GrabRequest } from '../peers/grab.js';
import { beMeasured, settings } from './program.js';

/** A question for each request, as the documentation of Nest shows it. */
Logger.overrideLogger(['error']);
const client = ClientProxyFactory.create({ transport: Transport.RMQ, options: { urls: [settings.amqpUrl], queue: `${settings.namespace}.nest`, queueOptions: { durable: false } } });
await client.connect();

await beMeasured(256, async (nth) => {
  const { word } = await firstValueFrom(client.send<GrabAnswer, GrabRequest>('grab', { userId: `bench-${nth % 4_000}`, requestId: `k${nth}`, itemId: 'item' }));
  if (word !== 'reserved') throw new Error(word);
  return 1;
});
