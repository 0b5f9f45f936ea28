import { describe, expect, it } from '@jest/globals';
import { segment } from './gateway.client.js';
import { problemOf, refusal } from './refusal.js';

describe('a refusal', () => {
  it.each([
    [400, 'refused'], [401, 'refused'], [403, 'refused'], [404, 'refused'], [409, 'refused'], [422, 'refused'], [429, 'refused'],
    [302, 'unknown'], [500, 'unknown'], [502, 'unknown'], [503, 'unknown'],
  ])('with status %d ends %s', (status, ending) => {
    expect(refusal('GET', problemOf(status, { code: 'SOME', detail: 'why' }), null)).toMatchObject({ ending, message: expect.stringMatching(/^SOME: why/) });
  });

  it('names every fault, the time to wait, and that a change may have been made', () => {
    const problem = problemOf(400, { code: 'INVALID_REQUEST', detail: 'bad', errors: [{ path: '/value', message: 'is missing' }, { path: '', message: 'is not JSON' }] });
    expect(refusal('PUT', problem, null).message).toBe('INVALID_REQUEST: /value is missing; body is not JSON');
    expect(refusal('POST', problemOf(503, { code: 'UNAVAILABLE' }), '2').message).toBe('UNAVAILABLE; it may have been done: look before you ask again; try again in 2 s');
    expect(refusal('GET', problemOf(503, { code: 'UNAVAILABLE' }), 'soon').message).toBe('UNAVAILABLE');
  });

  it('that is no problem document is named by its status', () => {
    for (const body of [undefined, null, 'Bad gateway', { code: 7, detail: {}, errors: 'x', requestId: 1 }]) expect(problemOf(502, body)).toEqual({ status: 502, code: 'HTTP_502', detail: '' });
  });
});

describe('an id in a path', () => {
  it.each(['..', '.', '', 'a/b', 'a?b', 'a%2fb', 'a b', 'ä', 'x'.repeat(129)])('is not %j', (text) => {
    expect(() => segment(text)).toThrow('is no id');
  });

  it.each(['s1.r_2~3-4', '...'])('may be %s', (text) => {
    expect(segment(text)).toBe(text);
  });
});
