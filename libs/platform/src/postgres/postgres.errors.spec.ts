import { expect, it } from '@jest/globals';
import { InfrastructureError } from '../errors.js';
import { isAway, isRetryable, translate } from './postgres.errors.js';

const coded = (code: string, message = '') => Object.assign(new Error(message), { code });

it.each(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', '57P01', '57P03', '53300', '08006', '25006'])('%s: the server is away', (code) => {
  expect(isAway(coded(code))).toBe(true);
});

it.each(['Connection terminated unexpectedly', 'timeout exceeded when trying to connect', 'Connection terminated due to connection timeout', 'Query read timeout'])('"%s": the server is away', (message) => {
  expect(isAway(new Error(message))).toBe(true);
});

it('a refusal on every address is an absence', () => {
  expect(isAway(new AggregateError([coded('ECONNREFUSED'), coded('ECONNREFUSED')]))).toBe(true);
});

it.each(['23505', '42P01', '57014', '22P02'])('%s: the server is there', (code) => {
  expect([isAway(coded(code)), isRetryable(coded(code))]).toEqual([false, false]);
});

it.each(['40001', '40P01', '55P03'])('%s is worth another try', (code) => {
  expect(isRetryable(coded(code))).toBe(true);
});

it('leaves alone what is no outage, and what is told already', () => {
  const told = new InfrastructureError('x', { outcome: 'unknown' });
  const other = coded('23505');
  expect([translate(told, 'not-done'), translate(other, 'unknown')]).toEqual([told, other]);
  expect(translate(coded('57P01'), 'unknown')).toMatchObject({ outcome: 'unknown' });
});
