import { boardSchema, type Board, type MessageName } from '@floodgate/contracts';
import { Logger } from '@nestjs/common';
import { InfrastructureError, errorText } from '../errors.js';
import type { ConfirmedPublisher } from './confirmed.publisher.js';
import { readDeadLetter, type DeadLetter } from './dead.letters.js';
import { decodeMessage, parseJson, type Delivery } from './message.codec.js';
import { together } from '../telemetry/trace.js';
import type { BatchRunner } from './queue.consumer.js';
import type { QueueName } from '@floodgate/contracts';

/** Hints: a failure is logged, and that is all; what a hint is about is read elsewhere. */
export function hintRunner(name: string, binds: readonly MessageName[], handler: (deliveries: Delivery[]) => Promise<unknown>): BatchRunner {
  const logger = new Logger(`consumer ${name}`);
  return async (batch, ack) => {
    const deliveries: Delivery[] = [];
    for (const { message } of batch) {
      try {
        deliveries.push(decodeMessage(message, binds));
      } catch (error) {
        logger.warn(errorText(error));
      }
    }
    try {
      if (deliveries.length > 0) await together(deliveries, `process ${name}`, () => ({ kind: 'consumer' }), () => handler(deliveries));
    } catch (error) {
      logger.error(errorText(error));
    }
    batch.forEach(ack);
  };
}

export function boardRunner(handler: (board: Board) => Promise<unknown>): BatchRunner {
  const logger = new Logger('consumer board');
  return async (batch, ack) => {
    for (const received of batch) {
      try {
        await handler(boardSchema.parse(parseJson(received.message.content)));
      } catch (error) {
        logger.error(errorText(error));
      }
      ack(received);
    }
  };
}

/**
 * Dead letters are the last copy: they are kept until the handler has taken them. One that it cannot take goes to the end of its
 * queue, so that it does not stand before the others, and the consumer rests a while.
 */
export function deadLetterRunner(queue: QueueName, deadQueue: string, publisher: ConfirmedPublisher, handler: (letters: DeadLetter[]) => Promise<unknown>): BatchRunner {
  const run: BatchRunner = async (batch, ack) => {
    try {
      await handler(batch.map(({ message }) => readDeadLetter(message, queue)));
      batch.forEach(ack);
    } catch (error) {
      const [first] = batch;
      if (!first || error instanceof InfrastructureError) throw error;
      if (batch.length > 1) {
        const half = Math.ceil(batch.length / 2);
        await run(batch.slice(0, half), ack);
        await run(batch.slice(half), ack);
        return;
      }
      const { content, properties } = first.message;
      const { 'x-death': _cycle, ...headers } = (properties.headers ?? {}) as Record<string, unknown>;
      await publisher.send({ exchange: '', routingKey: deadQueue }, content, { type: properties.type as string, messageId: properties.messageId as string, headers }, { what: deadQueue });
      ack(first);
      throw error;
    }
  };
  return run;
}
