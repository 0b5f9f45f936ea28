import type { Mutant } from '../../tools/src/mutants/mutant.js';

const reconcileTest = 'test/reconcile/reconcile.int-spec.ts';
const mended = 'is listed, mended as far as saying it again goes, and then there is nothing left';

/** Guards of the mending of what Redis and Postgres differ in. */
export const reconcileMutants: readonly Mutant[] = [
  {
    name: 'mending-writes-a-counter', guard: 'what differs is mended by saying it again, never by writing a counter',
    file: 'apps/order/src/reconcile/difference.mender.ts',
    find: '      await this.resend(tx, saleId, resend);',
    replace: "      for (const { subject } of found.filter(({ mend }) => mend === 'recount')) await tx.query('UPDATE lane_item SET allotment = allotment + 2 WHERE sale_id = $1 AND item_id = $2', [saleId, subject]);\n      await this.resend(tx, saleId, resend);",
    test: { path: reconcileTest, name: mended },
  },
  {
    name: 'mending-takes-the-young', guard: 'a reservation that was made just now is left to its message',
    file: 'apps/order/src/reconcile/plan-mends.ts',
    find: "row.overdue ? 'republish' : 'wait'", replace: "'republish'",
    test: { path: reconcileTest, name: mended },
  },
  {
    name: 'republishes-the-young', guard: 'seckill publishes again only what is overdue by Redis’s clock',
    file: 'apps/seckill/src/records/recall.controller.ts',
    find: '.filter((record) => isOverdue(record, nowMs)).map(', replace: '.filter((record) => record.version >= 0 && nowMs > 0).map(',
    test: { path: reconcileTest, name: 'seckill publishes again what is overdue, and nothing else' },
  },
  {
    name: 'resend-outranks', guard: 'the word of Postgres is sent again with the version that it has',
    file: 'apps/order/src/reconcile/difference.mender.ts',
    find: 'map(({ lane: _lane, ...row }) => row)', replace: 'map(({ lane: _lane, ...row }) => ({ ...row, version: row.version + 1_000 }))',
    test: { path: reconcileTest, name: 'after a mending what Postgres says next still counts' },
  },
  {
    name: 'one-reading-is-enough', guard: 'what only one reading shows is under way, and no difference',
    file: 'apps/order/src/reconcile/reconcile-sale.ts',
    find: 'filter(({ text }) => before.has(text))', replace: 'filter(({ text }) => before.size >= 0 && text)',
    test: { path: 'apps/order/src/reconcile/reconcile-sale.spec.ts', name: 'what only one of two readings shows is under way' },
  },
  {
    name: 'mending-unrecorded', guard: 'who mends is on record',
    file: 'apps/order/src/reconcile/difference.mender.ts',
    find: 'await this.acts.note(tx, {', replace: 'Object.freeze({',
    test: { path: reconcileTest, name: 'who mends is on record, with the reason, what was found and what was sent' },
  },
];
