import { describe, expect, it } from '@jest/globals';

import { formatReconciliation, readArguments } from './reconcile.command.js';

describe('the arguments of npm run reconcile', () => {
  it.each([
    [['S1'], { saleId: 'S1', reason: null, json: false }],
    [['--list', 'S1'], { saleId: 'S1', reason: null, json: false }],
    [['S1', '--list', '--json'], { saleId: 'S1', reason: null, json: true }],
    [['S1', '--fix'], { saleId: 'S1', reason: 'npm run reconcile --fix', json: false }],
    [['S1', '--fix', '--reason', 'after the=restart'], { saleId: 'S1', reason: 'after the=restart', json: false }],
    [['S1', '--reason=a=b', '--fix'], { saleId: 'S1', reason: 'a=b', json: false }],
  ])('%j', (args, wanted) => {
    expect(readArguments(args)).toEqual(wanted);
  });

  it.each([[[]], [['--fix']], [['S1', '--reason', 'x']], [['S1', '--fix', '--reason']], [['S1', '--list', '--fix', '--reason', 'x']], [['S1', '--fixed']], [['S1', '--list', '--list']], [['S1', 'S2']], [['S1', '--fix=no']]])(
    '%j say nothing that can be done', (args) => {
      expect(() => readArguments(args)).toThrow('npm run reconcile --');
    });
});

it('says of each difference what both sides have, and what was or can be done', () => {
  const one = { kind: 'held-in-redis', lane: 0, subject: 'S1.r', redis: 'version 1, holds 1', postgres: 'version 2, holds nothing', mend: 'resend', advice: 'why' };
  const lines = formatReconciliation({ saleId: 'S1', asOf: 'now', settling: 1, mended: [{ ...one, subject: 'S1.q' }], differences: [one], more: 2 });
  expect(lines.join('\n')).toMatch(/^mended by resend: held-in-redis in lane 0: S1\.q\n[^]*^held-in-redis in lane 0: S1\.r\n {2}Redis: version 1, holds 1\n {2}Postgres: version 2, holds nothing\n {2}resend: why\n\(2 more\)\n1 messages[^]*: 3$/m);
  expect(formatReconciliation({ saleId: 'S1', asOf: 'now', settling: 0, mended: [], differences: [], more: 0 })).toEqual(['Redis equals Postgres in sale S1 as of now']);
});
