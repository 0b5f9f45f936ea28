import { describe, expect, it } from '@jest/globals';
import { aside, currentWork, partOf, wholeOf, workFields, workFor } from './work.js';

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
