import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, EventPattern, Payload, Transport, type MicroserviceOptions, type RmqContext } from '@nestjs/microservices';
import type { Channel, ConsumeMessage } from 'amqplib';
import { DataSource } from 'typeorm';
import { settings, type OrderCreate } from '../grab.js';
import { PeerOrder } from '../order.entity.js';

const database = await new DataSource({ type: 'postgres', url: settings.databaseUrl, entities: [PeerOrder], synchronize: true }).initialize();

/** A transaction and an acknowledgement for each order. */
@Controller()
class OrderController {
  @EventPattern('order.create')
  async create(@Payload() { requestId, userId, itemId, createdAt }: OrderCreate, @Ctx() context: unknown): Promise<void> {
    await database.transaction((manager) => manager.save(PeerOrder, { id: requestId, userId, itemId, createdAt: new Date(createdAt) }));
    const message = context as RmqContext;
    (message.getChannelRef() as Channel).ack(message.getMessage() as ConsumeMessage);
  }
}

@Module({ controllers: [OrderController] })
class OrderModule {}

const app = await NestFactory.createMicroservice<MicroserviceOptions>(OrderModule, {
  logger: ['error'], transport: Transport.RMQ, options: { urls: [settings.amqpUrl], queue: `${settings.name}.orders`, noAck: false, prefetchCount: 100, queueOptions: { durable: true } },
});
await app.listen();
