import { expect, it, jest } from '@jest/globals';
import { symbols } from 'pino';
import { isoTime } from '../time.js';
import { createLogger, hashForLog, NestLogger, setLogLevel } from './logger.js';
import { partOf, workFor } from './work.js';

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

it('a line says for which request it is', () => {
  const { [symbols.streamSym as never]: stream } = createLogger('any') as unknown as { [key: symbol]: { write: (line: string) => void } };
  const write = jest.spyOn(stream!, 'write').mockImplementation(() => undefined);
  try {
    const logger = createLogger('test');
    partOf(workFor('request-1'), () => logger.warn({ lane: 's:0' }, 'said'));
    partOf(workFor('request-2'), () => new NestLogger('service').error('failed', 'Context'));
    logger.warn('nobody');
    const lines = write.mock.calls.map(([line]) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toMatchObject([
      { name: 'test', requestId: 'request-1', lane: 's:0', msg: 'said' }, { name: 'service', requestId: 'request-2', context: 'Context', msg: 'failed' }, { name: 'test', msg: 'nobody' },
    ]);
    expect(lines[2]).not.toHaveProperty('requestId');
  } finally {
    write.mockRestore();
  }
});
