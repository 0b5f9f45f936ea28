import { isUtf8 } from 'node:buffer';
import { codeSchema } from '@floodgate/contracts';
import { parse } from 'csv-parse/sync';
import type { Line } from './line-splitter.js';

/** Far above any code with its quotes; what is longer is no code, and is not kept to be looked at. */
export const lineBytesMax = 4_096;

/** What a line says. A fault is in words that never quote the line: it may hold half a code. */
export type Read = { code: string } | { fault: string } | 'blank';

export const codeFormats = ['text/csv', 'application/x-ndjson'] as const;
export type CodeFormat = (typeof codeFormats)[number];

export function readCodeLine(format: CodeFormat, { bytes }: Line): Read {
  if (!bytes) return { fault: `is longer than ${lineBytesMax} bytes` };
  if (!isUtf8(bytes)) return { fault: 'is not valid UTF-8' };
  const text = bytes.toString('utf8');
  if (text.trim() === '') return 'blank';
  const value = format === 'text/csv' ? readCsv(text) : readJson(text);
  if (typeof value !== 'string') return value;
  return codeSchema.safeParse(value).success ? { code: value } : { fault: 'is no code: 1 to 200 printable characters' };
}

/** Is this the header of a file of codes? */
export function isCodeHeader({ bytes }: Line): boolean {
  const text = bytes?.toString('utf8').replace(/^\uFEFF/, '').trim();
  return text === 'code' || text === '"code"';
}

/** Most lines are the code itself; only a line with something of CSV in it needs the parser. */
function readCsv(line: string): string | { fault: string } {
  const plain = line.trim();
  if (!/[",]/.test(plain)) return plain;
  try {
    const [columns] = parse(plain, { relax_column_count: true, trim: true });
    return columns?.length === 1 ? columns[0]! : { fault: 'has more than one column' };
  } catch {
    // The parser quotes the line in its message.
    return { fault: 'is not valid CSV' };
  }
}

function readJson(line: string): string | { fault: string } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // The parser quotes the line in its message.
    return { fault: 'is not valid JSON' };
  }
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const code = isObject ? (value as { code?: unknown }).code : undefined;
  if (typeof code !== 'string' || Object.keys(value as object).length !== 1) return { fault: 'must be an object with one member, the text `code`' };
  return code;
}
