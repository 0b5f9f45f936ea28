import { randomUUID } from 'node:crypto';
import type { Board, LaneLoad } from '@floodgate/contracts';
import { AmqpServer, AmqpServerParts, ConsumeBoard, PlatformMessagingModule, Publisher, RequestClient, ServiceModule, Shutdown } from '@floodgate/platform';
import { RETRY_DELAYS_MS, MessagingHarness, dropNamespace, eventually, testUrl } from '@floodgate/platform/testing';
import { Controller, type Type } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { AppModule } from '../app.module.js';
import { laneLoad, newSaleId } from './lane.fixture.js';
import { OrderBook, orderStandIn } from './order.stand-in.js';

/** One seckill process, as it runs, in a namespace with a stand-in for the order service. */
export class SeckillHarness {
  readonly boards: Board[] = [];
  readonly book = new OrderBook();
  readonly namespace = `test-${randomUUID()}`;
  private readonly instances: { app: NestFastifyApplication; server: AmqpServer }[] = [];
  private order!: MessagingHarness;

  /** @param urls `amqp`: seckill's way to the broker, while the order service has its own */
  static async start(urls: { redis: string; amqp?: string }): Promise<SeckillHarness> {
    const harness = new SeckillHarness();
    harness.order = await MessagingHarness.start({ controllers: [orderStandIn(harness.book), boardListener(harness.boards)], namespace: harness.namespace, service: 'order' });
    await harness.order.ready();
    await harness.run(urls);
    return harness;
  }

  /** A further process of the same kind. */
  async run(urls: { redis: string; amqp?: string }): Promise<void> {
    const service = `seckill${this.instances.length}`;
    const messaging = PlatformMessagingModule.forRoot({ url: urls.amqp ?? testUrl('TEST_AMQP_URL'), namespace: this.namespace, service, retryDelaysMs: RETRY_DELAYS_MS });
    const module = await Test.createTestingModule({ imports: [ServiceModule, messaging, AppModule.with({ REDIS_URL: urls.redis })] }).compile();
    const app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: process.env.TEST_LOGS ? ['log', 'warn', 'error'] : false });
    const server = new AmqpServer(app.get(AmqpServerParts, { strict: false }));
    app.connectMicroservice({ strategy: server });
    await app.init();
    await app.startAllMicroservices();
    this.instances.push({ app, server });
    await eventually(() => {
      if (this.get(Publisher, this.instances.length - 1).state !== 'up' || !server.ready()) throw new Error('not ready');
    });
  }

  /** The order service's own link. */
  get client(): RequestClient { return this.order.client; }
  get publisher(): Publisher { return this.order.publisher; }

  get<T>(token: Type<T>, instance = 0): T {
    return this.instances[instance]!.app.get(token, { strict: false });
  }

  /** A sale as it is armed; resolves when the lane is loaded. */
  async arm(change: Partial<LaneLoad> = {}): Promise<string> {
    const saleId = newSaleId();
    const lane = laneLoad(saleId, change);
    this.book.lanes.push({ ...lane, loadedEpoch: 0 });
    await this.publisher.publish('load-lanes', { reason: 'arm', lanes: [lane] });
    await eventually(() => {
      if (!this.book.loaded.some((loaded) => loaded.saleId === saleId)) throw new Error(`${saleId} is not loaded`);
    });
    return saleId;
  }

  async close(): Promise<void> {
    for (const { app, server } of this.instances) {
      await server.close();
      await app.get(Shutdown, { strict: false }).run('drain');
      await app.close();
    }
    await this.order.close();
    await dropNamespace(this.namespace);
  }
}

function boardListener(boards: Board[]): Type {
  @Controller()
  class BoardListener {
    @ConsumeBoard()
    hear(board: Board): void {
      boards.push(board);
    }
  }
  return BoardListener;
}
