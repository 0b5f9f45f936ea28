import 'reflect-metadata';
import { Controller } from '@nestjs/common';
import type { Answer, Ask } from '@floodgate/contracts';
import { Answers } from '@floodgate/platform';
import { MessagingHarness } from '@floodgate/platform/testing';
import { beReady, settings } from './program.js';

/** Stands where seckill does and decides nothing. */
@Controller()
class NothingBehind {
  @Answers('reserve')
  reserve({ attempts }: Ask<'reserve'>): Promise<Answer<'reserve'>> {
    return Promise.resolve({ results: attempts.map((_, number) => ({ word: 'reserved' as const, number, reservedAtMs: 1 })) });
  }
}

const harness = await MessagingHarness.start({ url: settings.amqpUrl, namespace: settings.namespace, service: 'hop-answerer', controllers: [NothingBehind] });
await harness.ready();
beReady();
