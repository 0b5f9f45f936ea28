import { describe, expect, it } from '@jest/globals';
import type { ConsumeMessage } from 'amqplib';
import { PermanentError } from '../errors.js';
import { deadLetterProperties, readDeadLetter, retryProperties } from './dead.letters.js';
import { decodeMessage, encodeBody, envelopeOf, messageProperties } from './message.codec.js';

const body = { saleId: 's', lane: 0, epoch: 1 };
const received = (content: string, properties: object): ConsumeMessage =>
  ({ content: Buffer.from(content), properties, fields: { routingKey: 'key' } }) as unknown as ConsumeMessage;

describe('a message', () => {
  it('arrives as it was sent', () => {
    const envelope = { messageId: 'm', occurredAtMs: 5, attempt: 3, requestId: 'request-1', traceparent: 't' };
    const message = received(encodeBody('lane.loaded', body), messageProperties('lane.loaded', envelope));
    expect(decodeMessage(message, ['lane.loaded'])).toEqual({ ...envelope, name: 'lane.loaded', body });
  });

  it('may have fields that this version does not know', () => {
    const message = received(JSON.stringify({ ...body, more: 1 }), messageProperties('lane.loaded', { messageId: 'm', occurredAtMs: 5, attempt: 1 }));
    expect(decodeMessage(message, ['lane.loaded']).body).toEqual(body);
  });

  it('is refused before the wire if it does not fit', () => {
    expect(() => encodeBody('lane.loaded', { ...body, lane: 'x' })).toThrow(PermanentError);
  });

  it('without any property still has a name and an attempt', () => {
    expect(envelopeOf(received('', {}))).toEqual({ name: 'key', messageId: '', occurredAtMs: 0, attempt: 1 });
    expect(envelopeOf(received('', { headers: { attempt: -5, occurredAt: 'x', requestId: 'no sane id' } }))).toEqual({ name: 'key', messageId: '', occurredAtMs: 0, attempt: 1 });
  });
});

describe('a failed message', () => {
  const message = received('{}', { type: 'lane.loaded', messageId: 'm', headers: { v: 1, attempt: 2, occurredAt: 9, requestId: 'request-1', firstError: 'first', 'x-death': [{}], 'publish-seq': 7 } });

  it('goes on with its attempt counted, its first error kept, and nothing of the broker’s', () => {
    const { headers, ...rest } = retryProperties(message, envelopeOf(message), new Error('again'));
    expect(rest).toEqual({ type: 'lane.loaded', messageId: 'm', contentType: 'application/json' });
    expect(headers).toEqual({ v: 1, attempt: 3, occurredAt: 9, requestId: 'request-1', firstError: 'first', lastError: 'Error: again' });
  });

  it('can be read as a dead letter', () => {
    const letter = received('{}', deadLetterProperties(message, 'order.note-loaded', 'attempts-exhausted', new Error('end')));
    expect(readDeadLetter(letter, 'order.note-loaded')).toMatchObject({
      queue: 'order.note-loaded', name: 'lane.loaded', messageId: 'm', reason: 'attempts-exhausted', firstError: 'first', lastError: 'Error: end', attempts: 2, occurredAtMs: 9,
    });
  });

  it('that the broker moved by itself is read as such', () => {
    expect(readDeadLetter(message, 'order.note-loaded')).toMatchObject({ queue: 'order.note-loaded', reason: 'broker', firstError: 'first' });
  });
});
