import 'reflect-metadata';
import { Controller, Inject, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientProxy, ClientsModule, MessagePattern, Payload, Transport, type MicroserviceOptions } from '@nestjs/microservices';
import { settings, type GrabAnswer, type GrabRequest, type OrderCreate } from '../grab.js';
import { GrabScript } from '../grab-script.js';

const script = new GrabScript({ enableAutoPipelining: false });

/** A script and a message for each grab. Nobody waits for the broker's confirm. */
@Controller()
class SeckillController {
  constructor(@Inject('ORDERS') private readonly orders: ClientProxy) {}

  @MessagePattern('grab')
  async grab(@Payload() request: GrabRequest): Promise<GrabAnswer> {
    const word = await script.grab(request);
    if (word === 'reserved') this.orders.emit<void, OrderCreate>('order.create', { ...request, createdAt: new Date().toISOString() });
    return { word };
  }
}

@Module({
  imports: [ClientsModule.register([{ name: 'ORDERS', transport: Transport.RMQ, options: { urls: [settings.amqpUrl], queue: `${settings.name}.orders`, persistent: true, queueOptions: { durable: true } } }])],
  controllers: [SeckillController],
})
class SeckillModule {}

const app = await NestFactory.createMicroservice<MicroserviceOptions>(SeckillModule, {
  logger: ['error'], transport: Transport.RMQ, options: { urls: [settings.amqpUrl], queue: `${settings.name}.grab`, queueOptions: { durable: true } },
});
await app.listen();
