import { describe, expect, it } from '@jest/globals';
import { differences } from './audit-log.store.js';

describe('what the audit log keeps of a change', () => {
  it('keeps the members that differ, from both sides', () => {
    expect(differences({ a: 1, b: { c: 1 }, gone: 1 }, { a: 1, b: { c: 2 }, added: 1 })).toEqual({
      before: { b: { c: 1 }, gone: 1 }, after: { b: { c: 2 }, added: 1 },
    });
  });

  it('keeps a creation whole', () => {
    expect(differences(null, { a: 1 })).toEqual({ before: null, after: { a: 1 } });
  });
});
