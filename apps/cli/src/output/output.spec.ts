import { describe, expect, it } from '@jest/globals';
import { money } from './money.js';
import { jsonText, plainText } from './plain-text.js';
import { pairs, table } from './table.js';

describe('text for a terminal', () => {
  it('obeys nothing that others wrote', () => {
    expect(plainText('a\u001b[2Jb\u0007c\u009b1md\u202ee\u2066f')).toBe('a?[2Jb?c?1md?e?f');
    expect(plainText('one\r\ntwo\nthree\tfour')).toBe('one two three four');
  });

  it('leaves every script alone', () => {
    expect(plainText('中文 😀 é')).toBe('中文 😀 é');
  });

  it('is the same JSON, with nothing in it that a terminal obeys', () => {
    const value = { a: '\u001b[2J\u009b1m\u007f', b: '中文' };
    expect(JSON.parse(jsonText(value))).toEqual(value);
    expect(jsonText(value).replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });
});

describe('a table', () => {
  const columns = [{ head: 'name', cell: (row: { name: string | null; count: number | null }) => row.name, widthMax: 6 }, { head: 'count', cell: (row: { count: number | null }) => row.count }];

  it('has aligned columns, numbers to the right, a dash for nothing and no line ends', () => {
    expect(table(columns, [{ name: 'a', count: 7 }, { name: 'two\nlines', count: 12_345 }, { name: null, count: null }])).toEqual([
      'NAME    COUNT',
      'a           7',
      'two l…  12345',
      '-           -',
    ]);
  });

  it('counts wide characters as a terminal does', () => {
    expect(table(columns, [{ name: '限时', count: 1 }, { name: 'abcd', count: 2 }])).toEqual(['NAME  COUNT', '限时      1', 'abcd      2']);
  });

  it('without rows is its head', () => {
    expect(table(columns, [])).toEqual(['NAME  COUNT']);
  });

  it('of pairs is aligned too', () => {
    expect(pairs([['id', 'x'], ['state', null], ['left', 0]])).toEqual(['id     x', 'state  -', 'left   0']);
  });
});

describe('money', () => {
  it.each([[250, 'GBP', '2.50 GBP'], [250, 'JPY', '250 JPY'], [1_234, 'KWD', '1.234 KWD'], [-5, 'EUR', '-0.05 EUR'], [100, '???', '1.00 ???']])('%d %s is %s', (amount, currency, text) => {
    expect(money({ amount, currency })).toBe(text);
  });
});
