import 'reflect-metadata';
import { Body, ConflictException, Controller, HttpCode, Inject, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientProxy, ClientsModule, Transport } from '@nestjs/microservices';
import { firstValueFrom } from 'rxjs';
import { settings, type GrabAnswer, type GrabRequest } from '../grab.js';

/** A question to the seckill service for each request, as the documentation of Nest shows it. */
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
  imports: [ClientsModule.register([{ name: 'SECKILL', transport: Transport.RMQ, options: { urls: [settings.amqpUrl], queue: `${settings.name}.grab`, queueOptions: { durable: true } } }])],
  controllers: [GrabController],
})
class GatewayModule {}

const app = await NestFactory.create(GatewayModule, { logger: ['error'] });
await app.listen(settings.port, '127.0.0.1');
