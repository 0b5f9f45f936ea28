import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern, Transport, type MicroserviceOptions } from '@nestjs/microservices';
import type { GrabAnswer } from '../peers/grab.js';
import { beReady, settings } from './program.js';

/** A service as the documentation of Nest shows it, that decides nothing. */
@Controller()
class NothingBehind {
  @MessagePattern('grab')
  grab(): GrabAnswer {
    return { word: 'reserved' };
  }
}

@Module({ controllers: [NothingBehind] })
class AnswererModule {}

const app = await NestFactory.createMicroservice<MicroserviceOptions>(AnswererModule, {
  logger: ['error'], transport: Transport.RMQ, options: { urls: [settings.amqpUrl], queue: `${settings.namespace}.nest`, queueOptions: { durable: false } },
});
await app.listen();
beReady();
