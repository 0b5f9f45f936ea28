import type { Mutant } from '../../tools/src/mutants/mutant.js';

const sealTest = 'apps/order/src/proof/seal.int-spec.ts';
const exportTest = 'apps/order/src/proof/export.int-spec.ts';

/** Guards of the ledger's chain, of whoever verifies it elsewhere, and of who holds Redis against Postgres. */
export const proofMutants: readonly Mutant[] = [
  {
    name: 'two-sealers', guard: 'one sealer of a sale at a time',
    file: 'apps/order/src/proof/seal.store.ts',
    find: 'SELECT pg_advisory_xact_lock(', replace: 'SELECT (',
    test: { path: sealTest, name: 'waits for whoever writes it already' },
  },
  {
    name: 'lanes-share-a-mark', guard: 'each lane is sealed from its own mark',
    file: 'apps/order/src/proof/seal.store.ts',
    find: 'e.seq > b.seq', replace: 'e.seq > (SELECT max(seq) FROM ledger_sealed WHERE sale_id = $1)',
    test: { path: sealTest, name: 'takes in an entry of a lane that commits behind a later one of another lane' },
  },
  {
    name: 'seals-can-change', guard: 'what is sealed stays',
    file: 'apps/order/src/migrations/add-ledger-seals.migration.ts',
    find: 'BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_seal', replace: 'BEFORE TRUNCATE ON ledger_seal',
    test: { path: sealTest, name: 'is append-only' },
  },
  {
    name: 'ledger-can-be-granted', guard: 'nobody has the right to change the ledger',
    file: 'apps/order/src/migrations/add-ledger-seals.migration.ts',
    find: 'REVOKE UPDATE, DELETE, TRUNCATE ON ledger, ledger_seal FROM PUBLIC, CURRENT_USER;', replace: '',
    test: { path: sealTest, name: 'and the ledger belong to nobody who may change them' },
  },
  {
    name: 'export-names-accounts', guard: 'an export has nothing personal',
    file: 'apps/order/src/proof/sale.exporter.ts',
    find: 'if (accountId === undefined) return row;', replace: 'return { ...row, accountId };',
    test: { path: exportTest, name: 'says nothing of who bought' },
  },
  {
    name: 'drift-of-what-is-under-way', guard: 'a difference counts only where nothing is under way',
    file: 'apps/order/src/reconcile/drift.job.ts',
    find: 'if (known || before) seen.set(', replace: 'seen.set(',
    test: { path: 'apps/order/src/reconcile/drift.int-spec.ts', name: 'says nothing of what is under way, or cannot be read' },
  },
  ...([
    ['chain-not-verified', 'an entry must fit the chain', 'if (entry.hash !== this.hash)', 'if (false)', 'an entry has another quantity'],
    ['prefix-not-verified', 'at every prefix no more is promised than was put in', 'if (free < 0)', 'if (false)', 'more was sold than there was'],
    ['order-not-verified', 'every hold has its order', 'if (!order) this.report', 'if (!order) continue;\n      if (false) this.report', 'an order was deleted'],
    ['payment-not-verified', 'whatever was sold has one payment', 'if (standing.length !== 1)', 'if (standing.length > 1)', 'a payment was deleted'],
    ['head-not-verified', 'the chain ends as the certificate says', 'if (chain.entries !== this.#number || chain.head !== this.hash)', 'if (false)', 'the last entry was dropped'],
    ['digest-not-verified', 'the files are those of the certificate', "stated.sha256 !== digest.digest('hex')", 'false', 'a file is not that of the certificate'],
    ['earlier-not-verified', 'an export begins with an earlier one of the sale', 'this.earlier.chain.head !== entry.hash', 'false', 'an entry was rewritten with all that follows'],
  ] as const).map(([name, guard, find, replace, test]) => ({ name, guard, file: 'tools/verify.mjs', find, replace, test: { path: exportTest, name: test } })),
];
