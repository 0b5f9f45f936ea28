import { Global, Injectable, Module, type DynamicModule, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ServiceModule } from '../shutdown/service.module.js';
import { AmqpServerParts } from './amqp.server.js';
import { Broker, type MessagingOptions } from './broker.js';
import { ConsumerProbes } from './consumer.probes.js';
import { Publisher } from './publisher.js';
import { QueueInspector } from './queue.inspector.js';
import { RequestClient } from './request.client.js';

/** The links open with the application and close last, after everything that still publishes has finished. */
@Injectable()
class BrokerLifecycle implements OnModuleInit, OnApplicationShutdown {
  constructor(
    private readonly broker: Broker,
    private readonly publisher: Publisher,
    private readonly client: RequestClient,
    private readonly inspector: QueueInspector,
  ) {}

  onModuleInit(): void {
    this.broker.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.publisher.close(), this.client.close(), this.inspector.close()]);
    await this.broker.close();
  }
}

// The same options give the same module object, so that importing it twice gives one broker.
const modules = new Map<string, DynamicModule>();

/** Global. Provides Publisher, RequestClient, QueueInspector and ConsumerProbes; handlers need {@link AmqpServer} connected (runService does it). */
@Global()
@Module({})
export class PlatformMessagingModule {
  static forRoot(options: MessagingOptions): DynamicModule {
    const key = JSON.stringify(options);
    const module = modules.get(key) ?? {
      module: PlatformMessagingModule,
      imports: [ServiceModule],
      providers: [{ provide: Broker, useFactory: () => new Broker(options) }, Publisher, RequestClient, QueueInspector, ConsumerProbes, AmqpServerParts, BrokerLifecycle],
      exports: [Broker, Publisher, RequestClient, QueueInspector, ConsumerProbes, AmqpServerParts],
    };
    modules.set(key, module);
    return module;
  }
}
