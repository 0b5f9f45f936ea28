import { Injectable } from '@nestjs/common';
import { AmqpConnection } from './amqp.connection.js';
import { BrokerNames } from './topology.declaration.js';

export interface MessagingOptions {
  url: string;
  /** Prefix of every exchange and queue. */
  namespace: string;
  /** The service's name; connections are named `<service>:<role>`. */
  service: string;
  /** Instead of the table's delays, for tests. Every service of a namespace must have the same. */
  retryDelaysMs?: readonly number[];
}

/** The three connections of a process, and the names in its namespace. */
@Injectable()
export class Broker {
  readonly names: BrokerNames;
  readonly publish: AmqpConnection;
  readonly consume: AmqpConnection;
  readonly request: AmqpConnection;

  constructor(options: MessagingOptions) {
    this.names = new BrokerNames(options.namespace, options.retryDelaysMs);
    const connection = (role: string) => new AmqpConnection(options.url, `${options.service}:${role}`);
    this.publish = connection('publish');
    this.consume = connection('consume');
    this.request = connection('request');
  }

  start(): void {
    this.publish.start();
    this.consume.start();
    this.request.start();
  }

  async close(): Promise<void> {
    await Promise.all([this.publish.close(), this.consume.close(), this.request.close()]);
  }
}
