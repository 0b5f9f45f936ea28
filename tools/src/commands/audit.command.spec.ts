import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { exportSale, prepareFolder } from '../audit/export-sale.js';
import { readArguments } from './audit.command.js';

describe('audit', () => {
  it.each([
    [['SALE'], { verb: 'verdict', saleId: 'SALE' }],
    [['export', 'SALE'], { verb: 'export', saleId: 'SALE', out: 'audit-SALE' }],
    [['export', 'SALE', '--out', 'there'], { verb: 'export', saleId: 'SALE', out: 'there' }],
    [['export', 'SALE', '--out=there'], { verb: 'export', saleId: 'SALE', out: 'there' }],
    [['verify', 'there'], { verb: 'verify', dir: 'there', earlier: null }],
    [['verify', 'there', '--earlier', 'c.json'], { verb: 'verify', dir: 'there', earlier: 'c.json' }],
  ])('understands %j', (args, wanted) => {
    expect(readArguments(args)).toEqual(wanted);
  });

  it.each([[[]], [['--list']], [['A', 'B']], [['export']], [['export', 'A', 'B']], [['export', 'A', '--out']], [['export', 'A', '--out=']], [['export', 'A', '--out=b', 'c']], [['verify']], [['verify', '-x']], [['verify', 'a', '--out', 'b']], [['verify', 'a', '--earlier', 'b', 'c']]])(
    'does not understand %j', (args) => {
      expect(() => readArguments(args)).toThrow(/say what: npm run audit/);
    });
});

describe('an export that arrives', () => {
  let root: string;
  beforeAll(() => { root = mkdtempSync(path.join(tmpdir(), 'floodgate-')); });
  afterAll(() => rmSync(root, { recursive: true }));
  const digest = (text: string) => ({ lines: 1, bytes: text.length, sha256: createHash('sha256').update(text).digest('hex') });
  const pages = (certificate: object) => [
    { certificate, file: 'a.ndjson', text: '1\n', nextCursor: 'x.2' }, { certificate, file: 'a.ndjson', text: '2\n', nextCursor: 'x.3' }, { certificate, file: '../b.ndjson', text: '', nextCursor: null },
  ];
  const asked = (all: ReturnType<typeof pages>) => async (cursor: string | null) => all[cursor === null ? 0 : Number(cursor.slice(2)) - 1];

  it('is written file by file into the folder alone, the certificate last', async () => {
    const dir = path.join(root, 'whole');
    prepareFolder(dir);
    const certificate = { files: { 'a.ndjson': digest('1\n2\n'), 'b.ndjson': digest('') } };
    expect(await exportSale(asked(pages(certificate)), dir)).toEqual(certificate);
    expect(readdirSync(dir).sort()).toEqual(['a.ndjson', 'b.ndjson', 'certificate.json']);
    expect(readFileSync(path.join(dir, 'a.ndjson'), 'utf8')).toBe('1\n2\n');
  });

  it('otherwise than it was made has no certificate', async () => {
    const dir = path.join(root, 'broken');
    prepareFolder(dir);
    await expect(exportSale(asked(pages({ files: { 'a.ndjson': digest('1\n'), 'b.ndjson': digest('') } })), dir)).rejects.toThrow('a.ndjson did not arrive as it was made');
    expect(readdirSync(dir)).not.toContain('certificate.json');
  });

  it('does not overwrite anything', () => {
    writeFileSync(path.join(root, 'something'), '');
    expect(() => prepareFolder(root)).toThrow('is not empty');
  });
});
