import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { SandboxProvider } from './sandbox.provider.js';

const secret = 'the secret of the callbacks';
const notice = { id: 'ev-1', type: 'payment.captured', paymentId: 'pay-1', orderId: 'Sale1.x', amount: { amount: 250, currency: 'GBP' }, occurredAt: '2026-11-27T10:03:21.007Z' };
const body = JSON.stringify(notice);
const nowSeconds = () => Math.floor(Date.now() / 1000);
const hex = (t: string | number, bytes: string | Buffer = body, key = secret) => createHmac('sha256', key).update(`${t}.`).update(bytes).digest('hex');
const signed = (t: string | number = nowSeconds(), bytes: string | Buffer = body) => `t=${t},v1=${hex(t, bytes)}`;

const provider = new SandboxProvider({ url: 'http://127.0.0.1:9', apiKey: 'key', webhookSecrets: [secret, 'the secret that is to come'], callbackUrl: 'http://127.0.0.1:9' });
const read = (header: string | undefined, bytes: string | Buffer = body) => provider.readNotice(header === undefined ? {} : { 'x-signature': header }, Buffer.from(bytes));

describe('a signature', () => {
  it('over exactly these bytes is accepted', () => {
    expect(read(signed())).toEqual(notice);
  });

  it.each([
    ['almost too old', () => signed(nowSeconds() - 299)],
    ['almost too new', () => signed(nowSeconds() + 299)],
    ['of two secrets, the second of which is ours', () => `t=${nowSeconds()},v1=${hex(nowSeconds(), body, 'the old secret')},v1=${hex(nowSeconds())}`],
    ['of our second secret', () => `t=${nowSeconds()},v1=${hex(nowSeconds(), body, 'the secret that is to come')}`],
    ['with a scheme that is to come', () => `${signed()},v2=whatever`],
    ['with spaces between its parts', () => signed().replace(',', ', ')],
  ])('%s is accepted', (_, header) => {
    expect(read(header())).toEqual(notice);
  });

  it.each([
    ['missing', () => undefined],
    ['empty', () => ''],
    ['of another secret', () => `t=${nowSeconds()},v1=${hex(nowSeconds(), body, 'another')}`],
    ['over the same content, written again', () => signed(nowSeconds(), JSON.stringify(notice, null, 1))],
    ['six minutes old', () => signed(nowSeconds() - 360)],
    ['six minutes from the future', () => signed(nowSeconds() + 360)],
    ['in milliseconds', () => signed(Date.now())],
    ['of a time that is no number', () => signed('NaN')],
    ['of a negative time', () => signed(-nowSeconds())],
    ['of a time with a fraction', () => signed(`${nowSeconds()}.5`)],
    ['of a time with a sign', () => signed(`+${nowSeconds()}`)],
    ['without a time', () => `v1=${hex(nowSeconds())}`],
    ['with two times', () => `t=${nowSeconds()},${signed()}`],
    ['with its time changed afterwards', () => `t=${nowSeconds() + 1},v1=${hex(nowSeconds())}`],
    ['in upper case', () => `t=${nowSeconds()},v1=${hex(nowSeconds()).toUpperCase()}`],
    ['with 0x in front', () => `t=${nowSeconds()},v1=0x${hex(nowSeconds())}`],
    ['too short', () => `t=${nowSeconds()},v1=${hex(nowSeconds()).slice(0, 62)}`],
    ['too long', () => `t=${nowSeconds()},v1=${hex(nowSeconds())}00`],
    ['of an odd length', () => `t=${nowSeconds()},v1=${hex(nowSeconds()).slice(1)}`],
    ['of 64 characters that are no hex', () => `t=${nowSeconds()},v1=${'z'.repeat(64)}`],
    ['of multi-byte characters', () => `t=${nowSeconds()},v1=${'é'.repeat(64)}`],
    ['empty after v1', () => `t=${nowSeconds()},v1=`],
  ])('%s is refused', (_, header) => {
    expect(read(header())).toBe('bad-signature');
  });
});

describe('a signed body', () => {
  const change = (changes: Record<string, unknown>) => JSON.stringify({ ...notice, ...changes });

  it.each([
    ['no JSON', '{"id":'], ['empty', ''], ['null', 'null'], ['a list', '[]'], ['not UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
    ['without an id', change({ id: undefined })], ['with an unknown field', change({ surprise: 1 })], ['with an amount below zero', change({ amount: { amount: -1, currency: 'GBP' } })],
    ['with an amount as a string', change({ amount: { amount: '250', currency: 'GBP' } })], ['with a fraction of a penny', change({ amount: { amount: 2.5, currency: 'GBP' } })],
    ['with no currency', change({ amount: { amount: 250 } })], ['with an order id that is none', change({ orderId: "x' OR 1=1" })], ['with a time that is none', change({ occurredAt: 'now' })],
  ])('that is %s is malformed', (_, bytes) => {
    expect(read(signed(nowSeconds(), bytes), bytes)).toBe('malformed');
  });

  it('of a type that is to come is a notice', () => {
    const bytes = change({ type: 'payment.dreamt' });
    expect(read(signed(nowSeconds(), bytes), bytes)).toMatchObject({ type: 'payment.dreamt' });
  });
});
