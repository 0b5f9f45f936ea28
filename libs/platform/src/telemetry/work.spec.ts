import { describe, expect, it } from '@jest/globals';
import { aside, currentWork, partOf, together, wholeOf, workFields, workFor } from './work.js';

const turn = () => new Promise((resolve) => { setImmediate(resolve); });

describe('what is done for a request', () => {
  it('knows its id, across waits, and side by side with others', async () => {
    const seen = await Promise.all(['a', 'b'].map((id) => wholeOf(workFor(id), async () => {
      await turn();
      return workFields();
    })));
    expect(seen).toEqual([{ requestId: 'a' }, { requestId: 'b' }]);
    expect(workFields()).toEqual({});
  });

  it('ends with it: a loop that it set going is not its', async () => {
    let later: Promise<unknown> | undefined;
    await wholeOf(workFor('a'), async () => {
      later = turn().then(workFields);
    });
    expect(await later).toEqual({});
  });

  it('ends with its failure, too', async () => {
    const work = workFor('a');
    await expect(wholeOf(work, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(partOf(work, currentWork)).toBeUndefined();
  });

  it('is not what is done aside', () => {
    expect(partOf(workFor('a'), () => aside(workFields))).toEqual({});
  });
});

describe('what is done for several at once', () => {
  const seenBy = (...ids: (string | undefined)[]) => together(ids.map((id) => (id === undefined ? undefined : workFor(id))), async () => workFields());

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
