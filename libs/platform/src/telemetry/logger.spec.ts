import { expect, it } from '@jest/globals';
import { isoTime } from '../time.js';
import { createLogger, hashForLog, setLogLevel } from './logger.js';

it('an account in a log is stable and names nobody', () => {
  expect(hashForLog('alice')).toBe(hashForLog('alice'));
  expect(hashForLog('alice')).toMatch(/^[0-9a-f]{12}$/);
  expect(hashForLog('alice')).not.toBe(hashForLog('alicia'));
});

it('the level holds for loggers that exist and for those to come', () => {
  const before = createLogger('before');
  setLogLevel('error');
  expect([before.level, createLogger('after').level]).toEqual(['error', 'error']);
  setLogLevel('info');
});

it('times have milliseconds and a Z', () => {
  expect(isoTime(0)).toBe('1970-01-01T00:00:00.000Z');
});
