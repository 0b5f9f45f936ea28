import { describe, expect, it } from '@jest/globals';
import { InfrastructureError, PermanentError, PublishError, RequestError, SplitError, classifyFailure, errorText, type FailureClass } from './errors.js';

describe('classifyFailure', () => {
  it.each<[string, unknown, FailureClass]>([
    ['what no retry can save', new PermanentError('x'), 'permanent'],
    ['an absent server', new InfrastructureError('x'), 'infrastructure'],
    ['an absent server, wrapped twice', new Error('a', { cause: new Error('b', { cause: new InfrastructureError('x') }) }), 'infrastructure'],
    ['a broker that does not take a message', new PublishError('BLOCKED', 'x'), 'infrastructure'],
    ['a service that does not answer', new RequestError('TIMEOUT', 'x'), 'infrastructure'],
    ['a service that answered that it cannot', new RequestError('FAILED', 'x'), 'transient'],
    ['a chunk to be taken apart', new SplitError([1, 2]), 'split'],
    ['a bug', new TypeError('x'), 'transient'],
    ['something that is no error', 'x', 'transient'],
    ['nothing', undefined, 'transient'],
  ])('%s', (_case, error, expected) => {
    expect(classifyFailure(error)).toBe(expected);
  });

  it('ends though causes go round in a circle', () => {
    const error = new Error('x');
    error.cause = error;
    expect(classifyFailure(error)).toBe('transient');
  });
});

it('only what may have arrived is unknown', () => {
  const codes = ['UNROUTABLE', 'NACKED', 'TIMEOUT', 'NOT_CONNECTED', 'CLOSED', 'BLOCKED', 'OVERLOADED'] as const;
  expect(codes.filter((code) => new PublishError(code, '').outcome === 'unknown')).toEqual(['NACKED', 'TIMEOUT', 'CLOSED']);
  const asks = ['UNROUTABLE', 'TIMEOUT', 'CLOSED', 'FAILED', 'NOT_CONNECTED', 'OVERLOADED'] as const;
  expect(asks.filter((code) => new RequestError(code, '').outcome === 'unknown')).toEqual(['TIMEOUT', 'CLOSED', 'FAILED']);
});

it('errorText is one short line', () => {
  expect(errorText(new PermanentError('no'))).toBe('PermanentError: no');
  expect(errorText(new Error('x'.repeat(1000)))).toHaveLength(501);
});
