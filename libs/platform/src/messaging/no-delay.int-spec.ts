import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import amqp, { type ChannelModel } from 'amqplib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { testUrl } from '../support/messaging.harness.js';
import { AmqpConnection } from './amqp.connection.js';

interface Handle {
  setNoDelay: (this: Handle, on: boolean) => number;
}

const handleOf = (socket: Socket): Handle => Reflect.get(socket, '_handle') as Handle;
const socketOf = (model: ChannelModel): Socket => (model.connection as unknown as { stream: Socket }).stream;

/**
 * With Nagle's algorithm on, a message of more than one write waits for the other side's delayed acknowledgement, 40 ms in each direction:
 * vectors of requests were 78 times slower. Nothing of that fails, so the option itself is watched, where it reaches the kernel.
 */
describe('a connection to the broker', () => {
  const url = testUrl('TEST_AMQP_URL');
  const told = new Map<Handle, boolean>();
  let prototype: Handle;
  let original: Handle['setNoDelay'];

  beforeAll(async () => {
    const probe = connect(Number(new URL(url).port), new URL(url).hostname);
    await once(probe, 'connect');
    prototype = Object.getPrototypeOf(handleOf(probe)) as Handle;
    probe.destroy();
    original = prototype.setNoDelay;
    prototype.setNoDelay = function setNoDelay(this: Handle, on: boolean): number {
      told.set(this, on);
      return original.call(this, on);
    };
  });
  afterAll(() => {
    prototype.setNoDelay = original;
  });

  it('sends what is written at once', async () => {
    const connection = new AmqpConnection(url, 'no-delay');
    connection.start();
    try {
      const model = await eventually(() => connection.model ?? Promise.reject(new Error('not connected')));
      expect(told.get(handleOf(socketOf(model)))).toBe(true);
    } finally {
      await connection.close();
    }
  });

  it('would not, if it were left to the library', async () => {
    const model = await amqp.connect(url);
    try {
      expect(told.get(handleOf(socketOf(model)))).not.toBe(true);
    } finally {
      await model.close();
    }
  });
});
