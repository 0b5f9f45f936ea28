import { expect, it } from '@jest/globals';
import { Readiness } from './readiness.js';

it('names what fails: what is false, and what throws', async () => {
  const readiness = new Readiness();
  readiness.register('good', () => true);
  readiness.register('bad', () => Promise.resolve(false));
  readiness.register('worse', () => Promise.reject(new Error('x')));
  expect(await readiness.failing()).toEqual(['bad', 'worse']);
  expect(await readiness.dead()).toEqual([]);
});

it('is over once the service stops', async () => {
  const readiness = new Readiness();
  expect(await readiness.failing()).toEqual([]);
  readiness.stop();
  expect(await readiness.failing()).toEqual(['stopping']);
});
