import { Injectable } from '@nestjs/common';
import type { Channel } from 'amqplib';
import { queues, type QueueName } from '@floodgate/contracts';
import { errorText, InfrastructureError } from '../errors.js';
import { Broker } from './broker.js';
import { KeptChannel } from './kept.channel.js';
import type { QueueConsumer } from './queue.consumer.js';
import { declareExchanges, declareQueue } from './topology.declaration.js';

export interface QueueDepth {
  /** Waiting in the work queue and its retry tiers; dead letters are not counted. */
  ready: number;
  /** Delivered to this process and not settled yet. Another instance's are not known here. */
  unsettled: number;
}

/** How much waits in queues. */
@Injectable()
export class QueueInspector {
  private readonly kept: KeptChannel;
  private readonly consumers = new Map<QueueName, QueueConsumer>();

  constructor(private readonly broker: Broker) {
    this.kept = new KeptChannel(broker.consume, 'plain', { name: 'inspect' });
  }

  /** Called by the server for each queue that this process consumes. */
  track(queue: QueueName, consumer: QueueConsumer): void {
    this.consumers.set(queue, consumer);
  }

  /** Delivered to this process and not settled yet. */
  unsettled(queue: QueueName): number {
    return this.consumers.get(queue)?.unsettled ?? 0;
  }

  /** @throws InfrastructureError if the broker cannot be asked now */
  async queueDepths<Q extends QueueName>(queues: readonly Q[]): Promise<Record<Q, QueueDepth>> {
    const { names } = this.broker;
    const entries = await Promise.all(queues.map(async (queue) => {
      const tiers = names.retryDelays.map((delayMs) => names.retry(queue, delayMs));
      const counts = await Promise.all([names.queue(queue), ...tiers].map((name) => this.ready(name)));
      return [queue, { ready: counts.reduce((sum, count) => sum + count, 0), unsettled: this.unsettled(queue) }] as const;
    }));
    return Object.fromEntries(entries) as Record<Q, QueueDepth>;
  }

  /**
   * @param name as the broker knows it
   * @throws InfrastructureError if there is no such queue or no link
   */
  async ready(name: string): Promise<number> {
    const channel = this.kept.channel;
    if (!channel) throw new InfrastructureError('no link to the broker');
    try {
      return (await channel.checkQueue(name)).messageCount;
    } catch (error) {
      throw new InfrastructureError(`${name} cannot be inspected`, { cause: error });
    }
  }

  /**
   * Declares every queue of the table once more: the broker refuses where one stands with another type or other arguments. A policy of
   * the broker cannot be seen this way, but none can take back what is declared. @returns what is wrong, in words
   * @throws InfrastructureError if there is no link
   */
  async topologyFaults(): Promise<string[]> {
    const faults: string[] = [];
    const declare = async (what: (channel: Channel) => Promise<void>): Promise<void> => {
      const model = this.broker.consume.model;
      if (!model) throw new InfrastructureError('no link to the broker');
      // A refusal closes the channel, so each row has one of its own.
      const channel = await model.createChannel();
      channel.on('error', () => undefined); // the declaration that failed says why
      try {
        await what(channel);
        await channel.close();
      } catch (error) {
        faults.push(errorText(error));
      }
    };
    await declare((channel) => declareExchanges(channel, this.broker.names));
    for (const name of Object.keys(queues) as QueueName[]) await declare((channel) => declareQueue(channel, this.broker.names, name));
    return faults;
  }

  async close(): Promise<void> {
    await this.kept.close();
  }
}
