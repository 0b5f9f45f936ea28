import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { View } from '@floodgate/contracts';
import { genesisHash } from './entry-hash.js';
import { OrderHarness, type Placed } from '../support/order.harness.js';

const verifier = path.resolve(import.meta.dirname, '../../../../tools/verify.mjs');
const { verify: inspect } = (await import(verifier)) as { verify: (dir: string) => Promise<{ findings: string[] }> };
type Row = Record<string, any>;

let at: OrderHarness;
let root: string;
/** The export of {@link scene}, as it came. */
let genuine: string;
let orders: Record<'open' | 'paid' | 'refunded' | 'burned' | 'closed' | 'refused', Placed>;
let folders = 0;

beforeAll(async () => {
  at = await OrderHarness.start();
  root = mkdtempSync(path.join(tmpdir(), 'floodgate-export-'));
  orders = await scene();
  genuine = await exported(orders.open.saleId);
}, 60_000);
afterAll(async () => {
  await at.stop();
  rmSync(root, { recursive: true });
});

/** A sale of eight units with an order of each fate. */
async function scene(): Promise<typeof orders> {
  const sale = await at.sale({ limits: { perAccount: 2, perIp: null } }, 8);
  const [open, paid, refunded, burned, closed] = [await at.order(sale), await at.order(sale), await at.order(sale), await at.order(sale), await at.order(sale)];
  const refused = at.reserved(sale);
  refused.reservation.items[0]!.quantity = 9;
  await at.database.transaction((tx) => at.saga.place(tx, sale.saleId, 0, [refused.reservation]));
  for (const placed of [paid, refunded, burned]) await pay(placed);
  for (const [placed, reason] of [[refunded, 'sale-withdrawn'], [burned, 'out-of-inventory']] as const) {
    await at.database.transaction(async (tx) => {
      await at.orders.startRefunding(tx, sale.saleId, [placed.rid], reason);
      await tx.query(`UPDATE payment SET state = 'REFUNDED' WHERE rid = $1`, [placed.rid]);
      await at.saga.closeOrders(tx, sale.saleId, [placed.rid], reason);
    });
  }
  await at.database.transaction((tx) => at.saga.closeOrders(tx, sale.saleId, [closed.rid], 'payment-timeout'));
  return { open, paid, refunded, burned, closed, refused };
}

async function pay(placed: Placed): Promise<void> {
  const { paymentId } = await at.payment(placed);
  at.provider.settle(paymentId, 'captured');
  await at.database.transaction(async (tx) => {
    await at.saga.markPaid(tx, placed.saleId, placed.rid);
    await tx.query(`UPDATE payment SET state = 'CAPTURED', pays = true WHERE payment_id = $1`, [paymentId]);
  });
}

const page = (saleId: string, cursor: string | null) => at.service.client.ask('export-sale', { saleId, cursor });

/** A folder with the export of a sale, and the verifier beside it. */
async function exported(saleId: string): Promise<string> {
  const dir = mkdtempSync(path.join(root, 'sale-'));
  const files: Record<string, string> = {};
  let certificate: object = {};
  for (let cursor: string | null = null; ;) {
    const answer: Awaited<ReturnType<typeof page>> = await page(saleId, cursor);
    if (!answer.ok) throw new Error(answer.detail);
    const view: View.SaleExportView = answer.value;
    files[view.file] = (files[view.file] ?? '') + view.text;
    certificate = view.certificate;
    cursor = view.nextCursor;
    if (cursor === null) break;
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(dir, name), text);
  writeFileSync(path.join(dir, 'certificate.json'), JSON.stringify(certificate));
  return dir;
}

interface Verdict {
  code: number;
  text: string;
}

/** Runs the verifier as another machine would: alone in a folder, with nothing in the environment. */
async function verify(dir: string, ...more: string[]): Promise<Verdict> {
  const alone = mkdtempSync(path.join(root, 'alone-'));
  copyFileSync(verifier, path.join(alone, 'verify.mjs'));
  return new Promise((resolve) => {
    execFile('env', ['-i', process.execPath, 'verify.mjs', dir, ...more], { cwd: alone }, (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, text: stdout + stderr }));
  });
}

/** The same, in this process: for the many cases that need no machine of their own. Its findings, a line each. */
const findingsOf = async (dir: string): Promise<string[]> => (await inspect(dir)).findings;

const linesOf = (dir: string, file: string): Row[] => readFileSync(path.join(dir, file), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as Row);

interface Export {
  ledger: Row[];
  orders: Row[];
  payments: Row[];
  certificate: Row;
}

/**
 * The genuine export, changed. What a forger can mend is mended: each file's size and digest, and with `chained` the whole chain, its head and length too;
 * what remains is what only the records themselves can tell.
 */
function forged(change: (made: Export) => void, { chained = false, mended = true } = {}): string {
  const dir = path.join(root, `forged-${++folders}`);
  cpSync(genuine, dir, { recursive: true });
  const made: Export = {
    ledger: linesOf(dir, 'ledger.ndjson'), orders: linesOf(dir, 'orders.ndjson'), payments: linesOf(dir, 'payments.ndjson'),
    certificate: JSON.parse(readFileSync(path.join(dir, 'certificate.json'), 'utf8')) as Row,
  };
  change(made);
  if (chained) rechain(made);
  for (const name of ['ledger', 'orders', 'payments'] as const) {
    const text = made[name].map((row) => `${JSON.stringify(row)}\n`).join('');
    writeFileSync(path.join(dir, `${name}.ndjson`), text);
    if (mended) made.certificate['files'][`${name}.ndjson`] = { lines: made[name].length, bytes: Buffer.byteLength(text), sha256: createHash('sha256').update(text).digest('hex') };
  }
  writeFileSync(path.join(dir, 'certificate.json'), JSON.stringify(made.certificate));
  return dir;
}

function rechain({ ledger, certificate }: Export): void {
  let hash = genesisHash(certificate['saleId'] as string);
  ledger.forEach((e, index) => {
    e['number'] = index + 1;
    hash = e['hash'] = createHash('sha256').update(`${hash}\n${JSON.stringify([e['number'], e['lane'], e['operationId'], e['itemId'], e['entry'], e['quantity'], e['freeAfter'], e['at']])}`).digest('hex');
  });
  certificate['chain'] = { ...(certificate['chain'] as object), entries: ledger.length, head: hash };
}

const entryOf = (ledger: Row[], placed: keyof typeof orders, entry: string): number => ledger.findIndex((row) => row['operationId'] === orders[placed].rid && row['entry'] === entry);
const orderOf = (made: Export, placed: keyof typeof orders): Row => made.orders.find((row) => row['id'] === orders[placed].rid)!;
const without = (rows: Row[], index: number) => void rows.splice(index, 1);

describe('the export of a sale', () => {
  it('is accepted by the verifier, alone in an empty folder with nothing in the environment', async () => {
    const verdict = await verify(genuine);
    expect(verdict).toEqual({ code: 0, text: expect.stringMatching(/8 units put in = 5 free \+ 1 held \+ 1 sold \+ 1 burned\nverified\n$/) });
    expect(linesOf(genuine, 'ledger.ndjson').map((row) => row['entry'])).toEqual(
      ['STOCK_IN', 'HOLD', 'HOLD', 'HOLD', 'HOLD', 'HOLD', 'SELL', 'SELL', 'SELL', 'RELEASE', 'BURN', 'RELEASE']);
    expect(linesOf(genuine, 'orders.ndjson')).toHaveLength(6);
    expect(linesOf(genuine, 'payments.ndjson')).toHaveLength(3);
  });

  it('says nothing of who bought', () => {
    const all = ['ledger.ndjson', 'orders.ndjson', 'payments.ndjson', 'certificate.json'].map((file) => readFileSync(path.join(genuine, file), 'utf8')).join('');
    for (const { accountId } of Object.values(orders)) {
      expect(all).not.toContain(accountId);
      expect(all).not.toContain(createHash('sha256').update(accountId).digest('hex').slice(0, 16));
    }
    expect(all).not.toMatch(/accountId|ipHash|ridSecret/);
  });

  it('is of one moment, and is read to its end while the sale goes on', async () => {
    const { open } = await scene();
    const first = await page(open.saleId, null);
    if (!first.ok) throw new Error(first.detail);
    await pay(open);
    const next = await page(open.saleId, first.value.nextCursor);
    if (!next.ok) throw new Error(next.detail);
    expect(next.value.text.split('\n').filter(Boolean).map((line) => JSON.parse(line) as Row).find(({ id }) => id === open.rid)).toMatchObject({ state: 'PENDING', paidAt: null });
    expect((await verify(await exported(open.saleId))).code).toBe(0);
  });

  it('has a later one that begins with it', async () => {
    const { open } = await scene();
    const before = await exported(open.saleId);
    await pay(open);
    const after = await exported(open.saleId);
    expect(await verify(after, '--earlier', path.join(before, 'certificate.json'))).toMatchObject({ code: 0 });
    expect(await verify(before, '--earlier', path.join(after, 'certificate.json'))).toMatchObject({ code: 1, text: expect.stringContaining('the earlier certificate knows') });
  });

  it('is refused for a sale that is not there, and for a page that is not', async () => {
    const asked = await Promise.all([page('Nothing', null), page(orders.open.saleId, 'exp-AAAAAAAAAAAAAAAA.1'), page(orders.open.saleId, 'what')]);
    expect(asked.map((answer) => !answer.ok && answer.code)).toEqual(['NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND']);
  });
});

/** What somebody may do to an export: `chained` where the whole chain was computed anew, as its owner could. */
const forgeries: Record<string, { change: (made: Export) => void; chained?: boolean; mended?: false; finding: RegExp }> = {
  'an entry was dropped': { change: ({ ledger }) => without(ledger, 4), finding: /entry 6 stands in place 5/ },
  'an entry was dropped and the chain mended': { change: ({ ledger }) => without(ledger, entryOf(ledger, 'closed', 'RELEASE')), chained: true, finding: /CLOSED with 1 of .* the ledger has 1 held/ },
  'the last entry was dropped': { change: ({ ledger }) => without(ledger, ledger.length - 1), finding: /the chain ends with entry 11 .* by the certificate with 12/ },
  'an entry is there twice': { change: ({ ledger }) => void ledger.splice(3, 0, ledger[3]!), finding: /stands in place/ },
  'an entry is there twice and the chain mended': { change: ({ ledger }) => void ledger.splice(3, 0, { ...ledger[3]! }), chained: true, finding: /entry 5: HOLD of 1 for .*, which has 1 held/ },
  'two entries changed places': { change: ({ ledger }) => void ledger.splice(2, 2, ledger[3]!, ledger[2]!), finding: /entry 4 stands in place 3/ },
  'two entries changed places and the chain mended': { change: ({ ledger }) => void ledger.splice(2, 2, ledger[3]!, ledger[2]!), chained: true, finding: /were free after it, it leaves/ },
  'an order was paid before it held': {
    change: ({ ledger }) => { const [sell] = ledger.splice(entryOf(ledger, 'paid', 'SELL'), 1); ledger.splice(entryOf(ledger, 'paid', 'HOLD'), 0, sell!); }, chained: true, finding: /SELL of 1 for .*, which holds nothing/,
  },
  'an entry has another quantity': { change: ({ ledger }) => { ledger[1]!['quantity'] = 2; }, finding: /entry 2 does not fit the chain/ },
  'an entry has another time': { change: ({ ledger }) => { ledger[1]!['at'] = '2020-01-01T00:00:00.000Z'; }, finding: /entry 2 does not fit the chain/ },
  'an entry was made up': { change: ({ ledger }) => void ledger.splice(2, 0, { ...ledger[1]!, operationId: 'made-up', number: 3 }), chained: true, finding: /made-up held 1 units and has no order/ },
  'more was sold than there was': {
    change: ({ ledger }) => { ledger[0]!['quantity'] = 3; }, chained: true, finding: /oversold at entry 5: 4 held, 0 sold and 0 burned of 3 units/,
  },
  'stock was put in that nobody offered': { change: ({ ledger }) => { ledger[0]!['quantity'] = 9; for (const row of ledger) row['freeAfter'] += 1; }, chained: true, finding: /9 units were put in, the quota is 8/ },
  'units of another item were held': { change: ({ ledger }) => { ledger[1]!['itemId'] = 'other'; }, chained: true, finding: /item other, which the sale does not offer/ },
  'an order was deleted': { change: ({ orders: rows }) => without(rows, rows.findIndex((row) => row['id'] === orders.paid.rid)), finding: /held 1 units and has no order/ },
  'an open order was deleted': { change: ({ orders: rows }) => without(rows, rows.findIndex((row) => row['id'] === orders.open.rid)), finding: /held 1 units and has no order/ },
  'an order is there twice': { change: ({ orders: rows }) => void rows.push(rows[0]!), finding: /order .* is there twice/ },
  'an order that holds nothing was made up': { change: (made) => void made.orders.push({ ...orderOf(made, 'open'), id: 'made-up' }), finding: /order made-up is PENDING .* the ledger has nothing/ },
  'a paid order looks open': { change: (made) => Object.assign(orderOf(made, 'paid'), { state: 'PENDING' }), finding: /is PENDING with 1 of .* the ledger has 1 sold/ },
  'an open order looks paid': { change: (made) => Object.assign(orderOf(made, 'open'), { state: 'PAID' }), finding: /is PAID with 1 of .* the ledger has 1 held/ },
  'a paid order was never paid': { change: (made) => Object.assign(orderOf(made, 'paid'), { paidAt: null }), finding: /was never paid/ },
  'an order is of other units': { change: (made) => { orderOf(made, 'paid')['items'][0].quantity = 2; }, finding: /is PAID with 2 of .* the ledger has 1 sold/ },
  'an order has another price': { change: (made) => { orderOf(made, 'paid')['amount'] = 1; }, finding: /is of 1 GBP, its units cost 250 GBP/ },
  'a buyer has more than is allowed': {
    change: (made) => { for (const name of ['paid', 'burned', 'open'] as const) orderOf(made, name)['account'] = 'same'; }, finding: /limit passed at entry \d+: an account has 3 units of the sale, 2 are allowed/,
  },
  'a payment was deleted': { change: (made) => without(made.payments, made.payments.findIndex((row) => row['orderId'] === orders.paid.rid)), finding: /was paid and has 0 payments/ },
  'a payment is there twice': { change: ({ payments }) => void payments.push(payments[0]!), finding: /payment .* is there twice/ },
  'an order stands for two payments': { change: ({ payments }) => void payments.push({ ...payments[0]!, id: 'second' }), finding: /was paid and has 2 payments/ },
  'a payment is of another amount': { change: ({ payments }) => { payments[0]!['amount'] = 1; }, finding: /its payment .* of 1 GBP/ },
  'a payment was given back and its order kept': { change: (made) => { made.payments.find((row) => row['orderId'] === orders.paid.rid)!['state'] = 'REFUNDED'; }, finding: /is PAID, its payment .* is REFUNDED/ },
  'a refund never happened': { change: (made) => { made.payments.find((row) => row['orderId'] === orders.refunded.rid)!['state'] = 'CAPTURED'; }, finding: /is CLOSED, its payment .* is CAPTURED/ },
  'money was kept that nobody owes': { change: ({ payments }) => void payments.push({ ...payments[0]!, id: 'kept', state: 'CAPTURED', isOrders: false, underWay: false }), finding: /payment kept was captured, no order stands for it/ },
  'a payment is for no order': { change: ({ payments }) => void payments.push({ ...payments[0]!, id: 'stray', orderId: 'nothing', isOrders: false, state: 'CLOSED' }), finding: /payment stray is for nothing, which is no order/ },
  'the certificate has another head': { change: ({ certificate }) => { certificate['chain'].head = '0'.repeat(64); }, finding: /the chain ends with/ },
  'the certificate counts other units': { change: ({ certificate }) => { certificate['items'][0].sold = 2; }, finding: /1 units are sold by the ledger, 2 by the certificate/ },
  'the certificate is of another sale': { change: ({ certificate }) => { certificate['saleId'] = 'Another'; }, finding: /the chain of another sale/ },
  'a file is not that of the certificate': { change: ({ payments }) => { payments[0]!['provider'] = Array.from(String(payments[0]!['provider'])).toReversed().join(''); }, mended: false, finding: /payments.ndjson is not the file of the certificate/ },
};

describe('the verifier finds that', () => {
  it.each(Object.entries(forgeries))('%s', async (_name, { change, chained = false, mended = true, finding }) => {
    expect((await findingsOf(forged(change, { chained, mended }))).join('\n')).toMatch(finding);
  });

  it.each(['ledger.ndjson', 'orders.ndjson', 'payments.ndjson'])('%s was cut short', async (file) => {
    const dir = forged(() => undefined);
    const whole = readFileSync(path.join(dir, file));
    writeFileSync(path.join(dir, file), whole.subarray(0, whole.length - 20));
    expect((await findingsOf(dir)).join('\n')).toMatch(/ends within a line[^]*is not the file of the certificate/);
  });

  it('something is wrong, and says so to whoever calls it', async () => {
    expect(await verify(forged(({ ledger }) => without(ledger, 4)))).toEqual({ code: 1, text: expect.stringMatching(/- entry 6 stands in place 5[^]*NOT verified: \d+ findings\n$/) });
  });

  it('an entry was rewritten with all that follows, by an earlier certificate', async () => {
    const rewritten = forged(({ ledger }) => { ledger[1]!['at'] = '2020-01-01T00:00:00.000Z'; }, { chained: true });
    expect((await verify(rewritten)).code).toBe(0); // nothing in it is wrong: only who remembers can tell
    expect(await verify(rewritten, '--earlier', path.join(genuine, 'certificate.json'))).toMatchObject({ code: 1, text: expect.stringContaining('entry 12 is not the one that the earlier certificate ends with') });
  });
});

describe('the verifier says that it cannot', () => {
  it.each([
    ['without a folder', (): string[] => [path.join(root, 'nowhere')], /there is no .*certificate\.json/],
    ['without anything', (): string[] => [], /say what: node verify\.mjs DIR/],
    ['of a certificate that is none', (): string[] => [forged(({ certificate }) => { certificate['format'] = 'other'; })], /is no floodgate-certificate\/1/],
    ['of a certificate that lacks a part', (): string[] => [forged(({ certificate }) => { delete certificate['chain']; })], /lacks a part/],
  ])('%s', async (_name, args, reason) => {
    const [dir, ...more] = args();
    const verdict = dir === undefined ? await verify('--help') : await verify(dir, ...more);
    expect(verdict).toEqual({ code: 2, text: expect.stringMatching(reason) });
  });

  it('without one of the files', async () => {
    const dir = forged(() => undefined);
    rmSync(path.join(dir, 'payments.ndjson'));
    expect(await verify(dir)).toEqual({ code: 2, text: expect.stringMatching(/there is no .*payments\.ndjson/) });
  });
});
