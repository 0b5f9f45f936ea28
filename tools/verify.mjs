// Verifies the export of a sale: node verify.mjs DIR [--earlier CERTIFICATE]. One file, Node 18 or newer and nothing else, so that it can be
// read, carried elsewhere and run where none of our services are. docs/audit.md says what it proves, and what it cannot.
// Exit 0: all of it holds. 1: it does not, and each line says what. 2: there is nothing that could be verified.
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const format = 'floodgate-certificate/1';
const fileNames = ['ledger.ndjson', 'orders.ndjson', 'payments.ndjson'];
const findingsMax = 100;
const soldStates = ['PAID', 'FULFILLED', 'REFUNDING'];
const sha256 = (text) => createHash('sha256').update(text).digest('hex');

/** Something without which nothing can be said. */
class Unreadable extends Error {}

/** @returns {Promise<{ findings: string[], certificate: object, fates: object[] }>} of the export in `dir`; `earlier` is a certificate of the same sale that somebody kept. */
export async function verify(dir, earlier = null) {
  const findings = [];
  const report = (finding) => void (findings.length < findingsMax && findings.push(finding));
  const certificate = readCertificate(path.join(dir, 'certificate.json'));
  const orders = new Map();
  const payments = new Map();
  const seen = new Set();
  await readLines(dir, certificate, 'orders.ndjson', report, (order) => {
    if (orders.has(order.id)) report(`order ${order.id} is there twice`);
    orders.set(order.id, order);
  });
  await readLines(dir, certificate, 'payments.ndjson', report, (payment) => {
    if (seen.has(payment.id)) report(`payment ${payment.id} is there twice`);
    seen.add(payment.id);
    payments.set(payment.orderId, [...(payments.get(payment.orderId) ?? []), payment]);
  });
  const ledger = new Ledger(certificate, orders, earlier ? readCertificate(earlier) : null, report);
  await readLines(dir, certificate, 'ledger.ndjson', report, (entry) => ledger.add(entry));
  ledger.end();
  for (const order of orders.values()) checkOrder(order, ledger.operations.get(order.id), report);
  checkMoney(certificate, orders, payments, report);
  return { findings, certificate, fates: ledger.fates() };
}

/** Reads the entries in their order: the chain, and the units of every item of every lane after each of them. */
class Ledger {
  operations = new Map();
  #units = new Map();
  #accounts = new Map();
  #number = 0;

  constructor(certificate, orders, earlier, report) {
    Object.assign(this, { certificate, orders, earlier, report });
    this.hash = sha256(`floodgate ledger 1 ${certificate.saleId}`);
    this.items = new Map(certificate.items.map((item) => [item.itemId, item]));
    if (certificate.chain.genesis !== this.hash) report('the certificate begins with the chain of another sale');
    if (earlier && earlier.saleId !== certificate.saleId) report(`the earlier certificate is of sale ${earlier.saleId}`);
  }

  add(entry) {
    const { number, lane, operationId, itemId, quantity, freeAfter, at } = entry;
    this.#number += 1;
    if (number !== this.#number) this.report(`entry ${number} stands in place ${this.#number} of the ledger`);
    this.hash = sha256(`${this.hash}\n${JSON.stringify([number, lane, operationId, itemId, entry.entry, quantity, freeAfter, at])}`);
    if (entry.hash !== this.hash) {
      this.report(`entry ${number} does not fit the chain: it, or one before it, is not what was sealed`);
      this.hash = entry.hash; // so that each break is said once
    }
    if (this.earlier?.chain.entries === this.#number && this.earlier.chain.head !== entry.hash) this.report(`entry ${number} is not the one that the earlier certificate ends with`);
    if (!Number.isInteger(quantity) || quantity < 1) return this.report(`entry ${number} is of ${quantity} units`);
    if (!this.items.has(itemId)) return this.report(`entry ${number} is of item ${itemId}, which the sale does not offer`);
    this.#move(entry);
  }

  #move(entry) {
    const { number, lane, itemId, quantity, freeAfter } = entry;
    const key = `${lane}/${itemId}`;
    const units = this.#units.get(key) ?? { itemId, stock: 0, held: 0, sold: 0, burned: 0 };
    this.#units.set(key, units);
    if (entry.entry === 'STOCK_IN') units.stock += quantity;
    else if (entry.entry === 'STOCK_OUT') units.stock -= quantity;
    else if (!this.#operate(entry, units)) return;
    const free = units.stock - units.held - units.sold - units.burned;
    if (free < 0) this.report(`oversold at entry ${number}: ${units.held} held, ${units.sold} sold and ${units.burned} burned of ${units.stock} units of ${itemId} in lane ${lane}`);
    if (free !== freeAfter) this.report(`entry ${number} says that ${freeAfter} units of ${itemId} were free after it, it leaves ${free}`);
  }

  /** What an order does with its units: hold them, then perhaps pay them, then perhaps let go of them, each once. False: it could not. */
  #operate({ number, lane, operationId, itemId, entry, quantity }, units) {
    const operation = this.operations.get(operationId) ?? { lane, items: new Map() };
    this.operations.set(operationId, operation);
    const before = operation.items.get(itemId);
    const isAllowed = { HOLD: !before, SELL: before?.fate === 'held', RELEASE: before?.fate === 'held' || before?.fate === 'sold', BURN: before?.fate === 'held' || before?.fate === 'sold' };
    if (!isAllowed[entry] || operation.lane !== lane || (before && before.quantity !== quantity)) {
      this.report(`entry ${number}: ${entry} of ${quantity} for ${operationId}, which ${before ? `has ${before.quantity} ${before.fate}` : 'holds nothing'} of ${itemId}`);
      return false;
    }
    if (before) units[before.fate] -= quantity;
    const fate = { HOLD: 'held', SELL: 'sold', RELEASE: 'released', BURN: 'burned' }[entry];
    if (fate !== 'released') units[fate] += quantity;
    operation.items.set(itemId, { quantity, fate, wasSold: before?.fate === 'sold' || fate === 'sold' });
    if (entry === 'HOLD' || entry === 'RELEASE') this.#count(number, operationId, itemId, entry === 'HOLD' ? quantity : -quantity);
    return true;
  }

  /** The limits per account, at every prefix too. */
  #count(number, operationId, itemId, quantity) {
    const account = this.orders.get(operationId)?.account;
    if (account === undefined) return;
    for (const [what, limit] of [['', this.certificate.policy.limits.perAccount], [itemId, this.items.get(itemId).perAccount]]) {
      const used = (this.#accounts.get(`${account}/${what}`) ?? 0) + quantity;
      this.#accounts.set(`${account}/${what}`, used);
      if (limit !== null && quantity > 0 && used > limit) this.report(`limit passed at entry ${number}: an account has ${used} units of ${what || 'the sale'}, ${limit} are allowed`);
    }
  }

  end() {
    const { chain } = this.certificate;
    if (chain.entries !== this.#number || chain.head !== this.hash) this.report(`the chain ends with entry ${this.#number} (${this.hash}), by the certificate with ${chain.entries} (${chain.head})`);
    if (this.earlier && this.earlier.chain.entries > this.#number) this.report(`the earlier certificate knows ${this.earlier.chain.entries} entries`);
    for (const [operationId, { lane, items }] of this.operations) {
      const order = this.orders.get(operationId);
      if (!order) this.report(`${operationId} held ${[...items.values()].reduce((sum, item) => sum + item.quantity, 0)} units and has no order`);
      else if (order.lane !== lane) this.report(`${operationId} is an order of lane ${order.lane} and held units of lane ${lane}`);
    }
    for (const fate of this.fates()) {
      const item = this.items.get(fate.itemId);
      if (fate.stock !== item.quota) this.report(`${fate.itemId}: ${fate.stock} units were put in, the quota is ${item.quota}`);
      for (const name of ['free', 'held', 'sold', 'burned']) if (fate[name] !== item[name]) this.report(`${fate.itemId}: ${fate[name]} units are ${name} by the ledger, ${item[name]} by the certificate`);
    }
  }

  /** Every item's units by what became of them. */
  fates() {
    return this.certificate.items.map(({ itemId }) => {
      const sum = { itemId, stock: 0, free: 0, held: 0, sold: 0, burned: 0 };
      for (const units of this.#units.values()) if (units.itemId === itemId) for (const name of ['stock', 'held', 'sold', 'burned']) sum[name] += units[name];
      return { ...sum, free: sum.stock - sum.held - sum.sold - sum.burned };
    });
  }
}

/** An order and what it did with units must tell the same story. */
function checkOrder({ id, state, items, paidAt }, operation, report) {
  const held = operation?.items ?? new Map();
  if (state === 'CLOSED' && held.size === 0) return; // it never got any
  const wanted = state === 'CLOSED' ? ['released', 'burned'] : [soldStates.includes(state) ? 'sold' : 'held'];
  for (const { itemId, quantity } of items) {
    const found = held.get(itemId);
    if (!found || found.quantity !== quantity || !wanted.includes(found.fate)) report(`order ${id} is ${state} with ${quantity} of ${itemId}, the ledger has ${found ? `${found.quantity} ${found.fate}` : 'nothing'}`);
    else if (found.wasSold !== (paidAt !== null)) report(`order ${id} was ${paidAt === null ? 'never ' : ''}paid, by the ledger it was ${found.wasSold ? '' : 'never '}sold`);
  }
  if (held.size > items.length) report(`order ${id} holds more than it is for`);
}

/** Whatever was sold was paid once, with the right amount; no other money is kept. */
function checkMoney(certificate, orders, payments, report) {
  const prices = new Map(certificate.items.map(({ itemId, price }) => [itemId, price]));
  for (const { id, state, items, amount, currency, paidAt } of orders.values()) {
    const standing = (payments.get(id) ?? []).filter((payment) => payment.isOrders);
    const isSold = soldStates.includes(state);
    if (isSold && paidAt === null) report(`order ${id} is ${state} and was never paid`);
    if (paidAt === null && standing.length > 0) report(`order ${id} was never paid and has a payment`);
    if (paidAt === null) continue;
    if (standing.length !== 1) report(`order ${id} was paid and has ${standing.length} payments`);
    const due = items.reduce((sum, item) => sum + item.quantity * (prices.get(item.itemId) ?? NaN), 0);
    if (amount !== due || currency !== certificate.policy.currency) report(`order ${id} is of ${amount} ${currency}, its units cost ${due} ${certificate.policy.currency}`);
    const allowed = state === 'CLOSED' ? ['REFUNDED'] : state === 'REFUNDING' ? ['CAPTURED', 'REFUNDED'] : ['CAPTURED'];
    for (const payment of standing) {
      if (payment.amount !== amount || payment.currency !== currency) report(`order ${id} is of ${amount} ${currency}, its payment ${payment.id} of ${payment.amount} ${payment.currency}`);
      if (!allowed.includes(payment.state)) report(`order ${id} is ${state}, its payment ${payment.id} is ${payment.state}`);
    }
  }
  for (const [orderId, all] of payments) {
    if (!orders.has(orderId)) report(`payment ${all[0].id} is for ${orderId}, which is no order`);
    for (const { id, state, isOrders, underWay } of all) if (state === 'CAPTURED' && !isOrders && !underWay) report(`payment ${id} was captured, no order stands for it, and it is not given back`);
  }
}

function readCertificate(file) {
  if (!existsSync(file)) throw new Unreadable(`there is no ${file}`);
  let certificate;
  try {
    certificate = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw new Unreadable(`${file} is no JSON`);
  }
  if (certificate?.format !== format) throw new Unreadable(`${file} is no ${format}`);
  const isWhole = typeof certificate.saleId === 'string' && Array.isArray(certificate.items) && certificate.chain && certificate.policy?.limits && fileNames.every((name) => certificate.files?.[name]);
  if (!isWhole) throw new Unreadable(`${file} lacks a part`);
  return certificate;
}

/** Hands on every line of a file, and holds the file against what the certificate says of it. */
async function readLines(dir, certificate, name, report, take) {
  const file = path.join(dir, name);
  if (!existsSync(file)) throw new Unreadable(`there is no ${file}`);
  const digest = createHash('sha256');
  let [lines, bytes, rest] = [0, 0, ''];
  const decoder = new TextDecoder();
  const takeLine = (line) => {
    lines += 1;
    let row;
    try {
      row = JSON.parse(line);
      if (row === null || typeof row !== 'object') throw new Error('no object');
    } catch {
      return report(`${name}, line ${lines}: not readable`);
    }
    try {
      take(row);
    } catch {
      report(`${name}, line ${lines}: lacks a part`);
    }
  };
  for await (const chunk of createReadStream(file)) {
    digest.update(chunk);
    bytes += chunk.length;
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = parts.pop();
    parts.forEach(takeLine);
  }
  if (rest !== '') report(`${name} ends within a line`);
  const stated = certificate.files[name];
  if (stated.lines !== lines || stated.bytes !== bytes || stated.sha256 !== digest.digest('hex')) {
    report(`${name} is not the file of the certificate: ${lines} lines, ${bytes} bytes; by the certificate ${stated.lines} lines, ${stated.bytes} bytes, or as many with another content`);
  }
}

async function main(args) {
  const at = args.indexOf('--earlier');
  const earlier = at < 0 ? null : args.splice(at, 2)[1];
  if (args.length !== 1 || earlier === undefined || args[0].startsWith('-')) throw new Unreadable('say what: node verify.mjs DIR [--earlier CERTIFICATE]');
  const { findings, certificate, fates } = await verify(args[0], earlier);
  const lines = Object.entries(certificate.files).map(([name, { lines }]) => `${lines} ${name.replace('.ndjson', '')}`);
  console.log(`sale ${certificate.saleId} as of ${certificate.exportedAt}: ${lines.join(', ')}; chain head ${certificate.chain.head}`);
  for (const { itemId, stock, free, held, sold, burned } of fates.slice(0, 40)) console.log(`${itemId}: ${stock} units put in = ${free} free + ${held} held + ${sold} sold + ${burned} burned`);
  for (const finding of findings) console.log(`- ${finding}`);
  if (findings.length === findingsMax) console.log('- and perhaps more');
  console.log(findings.length === 0 ? 'verified' : `NOT verified: ${findings.length} findings`);
  return findings.length === 0 ? 0 : 1;
}

if (process.argv[1] && import.meta.url === pathToFileURL(path.resolve(process.argv[1])).href) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    console.error(`cannot verify: ${error.message}`);
    process.exitCode = 2;
  }
}
