import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { resumed, served, together, traced, traceWith, type Span, type SpanParent, type Tracer } from './trace.js';
import { aside, currentWork, partOf, workFields, workFor, workHeaders, type Work } from './work.js';

const internal = { kind: 'internal' } as const;
const start = () => internal;

describe('what is done for several at once', () => {
  const seenBy = (...ids: (string | undefined)[]) => together(ids.map((id) => (id === undefined ? undefined : workFor(id))), 'batch', start, async () => workFields());

  it('is for a request only where all belong to it', async () => {
    expect(await seenBy('a')).toEqual({ requestId: 'a' });
    expect(await seenBy('a', 'a')).toEqual({ requestId: 'a' });
    expect(await seenBy('a', 'b')).toEqual({});
    expect(await seenBy('a', undefined)).toEqual({});
    expect(await seenBy(undefined, 'a')).toEqual({});
    expect(await seenBy()).toEqual({});
  });

  it('is not for whoever happens to start it', async () => {
    expect(await partOf(workFor('a'), () => seenBy('b', 'c'))).toEqual({});
  });
});

describe('with a tracer', () => {
  /** What became of each span, in the order of their ends: name, parent, links. */
  let ended: string[];
  let sampled: boolean;

  const nameOf = (parent: SpanParent): string => (typeof parent === 'string' ? parent : parent.traceparent);
  function span(name: string, parent = '', others: readonly SpanParent[] = []): Span {
    const notes: string[] = others.map((other) => `with ${nameOf(other)}`);
    return {
      traceId: 'trace', traceparent: name,
      set: () => undefined,
      link: (to) => { notes.push(`linked to ${to.traceparent}`); },
      fail: (error) => { notes.push(`failed: ${(error as Error).name}`); },
      end: () => { ended.push([`${name}${parent && ` after ${parent}`}`, ...notes].join(', ')); },
    };
  }
  const tracer: Tracer = {
    begin: (name) => (sampled ? span(name) : undefined),
    next: (name, _start, parent, others) => span(name, nameOf(parent), others),
  };

  beforeEach(() => {
    [ended, sampled] = [[], true];
    traceWith(tracer);
  });
  afterEach(() => traceWith(undefined));

  it('a request is a tree of steps, and everything it says carries the step it was said in', async () => {
    const headers = await served('r', 'request', start, () => traced('ask', internal, async () => {
      await Promise.resolve();
      return workHeaders();
    }));
    expect(headers).toEqual({ requestId: 'r', traceparent: 'ask' });
    expect(ended).toEqual(['ask after request', 'request']);
  });

  it('goes on elsewhere', async () => {
    await resumed({ requestId: 'r', traceparent: 'ask' }, 'answer', internal, () => traced('query', internal, async () => expect(workFields()).toEqual({ requestId: 'r', traceId: 'trace' })));
    expect(ended).toEqual(['query after answer', 'answer after ask']);
  });

  it('a request that the sampler passes over leaves nothing, wherever it goes', async () => {
    sampled = false;
    const headers = await served('r', 'request', start, () => traced('ask', internal, async () => workHeaders()));
    await resumed(headers, 'answer', internal, () => traced('query', internal, () => together([currentWork()], 'batch', start, async () => undefined)));
    expect([headers, ended]).toEqual([{ requestId: 'r' }, []]);
  });

  it('what nobody asked for is no trace', async () => {
    await traced('query', internal, async () => undefined);
    await aside(() => traced('query', internal, async () => undefined));
    expect(ended).toEqual([]);
  });

  it('what is done for several stands in the first trace and is linked with the others', async () => {
    const works: (Work | undefined)[] = [];
    await Promise.all(['a', 'b', 'c'].map((id) => served(id, id, start, async () => {
      works.push(currentWork());
      if (id === 'c') await together([workFor('unsampled'), ...works], 'vector', start, async () => undefined);
    })));
    expect(ended.find((line) => line.startsWith('vector'))).toBe('vector after a, with b, with c');
    await together([{}, { traceparent: 'x' }, { traceparent: 'y' }], 'batch', start, async () => undefined);
    expect(ended.at(-1)).toBe('batch after x, with y');
  });

  it('a failure is marked, and goes on', async () => {
    await expect(served('r', 'request', start, () => Promise.reject(new TypeError('of alice')))).rejects.toThrow('of alice');
    expect(ended).toEqual(['request, failed: TypeError']);
  });
});
