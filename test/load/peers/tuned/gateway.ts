import 'reflect-metadata';
import { Body, ConflictException, Controller, HttpCode, Inject, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientProxy, ClientsModule, Transport } from '@nestjs/microservices';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { firstValueFrom } from 'rxjs';
import { settings, type GrabAnswer, type GrabRequest } from '../grab.js';

/** As the tutorial, on Fastify, with questions that the broker keeps in memory alone. */
@Controller()
class GrabController {
  constructor(@Inject('SECKILL') private readonly seckill: ClientProxy) {}

  @Post('grab')
  @HttpCode(202)
  async grab(@Body() request: GrabRequest): Promise<GrabAnswer & { requestId: string }> {
    const answer = await firstValueFrom(this.seckill.send<GrabAnswer, GrabRequest>('grab', request));
    if (answer.word !== 'reserved') throw new ConflictException(answer.word);
    return { ...answer, requestId: request.requestId };
  }
}

@Module({
  imports: [ClientsModule.register([{ name: 'SECKILL', transport: Transport.RMQ, options: { urls: [settings.amqpUrl], queue: `${settings.name}.grab`, queueOptions: { durable: false } } }])],
  controllers: [GrabController],
})
class GatewayModule {}

const app = await NestFactory.create<NestFastifyApplication>(GatewayModule, new FastifyAdapter(), { logger: ['error'] });
await app.listen(settings.port, '127.0.0.1');
