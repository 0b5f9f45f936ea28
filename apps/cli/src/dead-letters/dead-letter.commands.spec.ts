import { expect, it } from '@jest/globals';
import { replayEnding } from './dead-letter.commands.js';

it.each([
  ['republished', 'done'], ['already-replayed', 'done'], ['would-be-processed: 1 STUCK to PENDING', 'done'], ['would-be-acknowledged: nothing would change', 'done'],
  ['would-die-again: why', 'refused'], ['already-discarded', 'refused'],
  ['would-be-republished: nobody knows', 'unknown'], ['something new', 'unknown'],
])('a replay of which the platform says "%s" ends %s', (outcome, ending) => {
  expect(replayEnding(outcome)).toBe(ending);
});
