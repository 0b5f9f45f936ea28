import Table from 'cli-table3';
import { plainText } from './plain-text.js';

export type Cell = string | number | boolean | null | undefined;

export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => Cell;
  /** Longest text shown, characters; numbers are never cut. */
  readonly widthMax?: number;
}

const noLines = Object.fromEntries(['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right', 'left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle']
  .map((part) => [part, part === 'middle' ? '  ' : '']));

/** Rows under their heads, without lines, so that grep and awk read them as well; numbers stand to the right. Null is shown as `-`. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  const cells = rows.map((row) => columns.map(({ cell, widthMax = 60 }) => shown(cell(row), widthMax)));
  const isNumber = columns.map(({ cell }) => rows.length > 0 && rows.every((row) => ['number', 'object', 'undefined'].includes(typeof cell(row))));
  const drawn = new Table({
    head: columns.map(({ head }) => head.toUpperCase()), chars: noLines, colAligns: isNumber.map((is) => (is ? 'right' : 'left')),
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 0 },
  });
  drawn.push(...cells);
  return drawn.toString().split('\n').map((line) => line.trimEnd());
}

/** Names and their values, one a line. */
export function pairs(rows: readonly (readonly [name: string, value: Cell])[]): string[] {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${shown(value, 500)}`);
}

function shown(value: Cell, widthMax: number): string {
  if (value === null || value === undefined || value === '') return '-';
  const text = plainText(String(value));
  return text.length > widthMax ? `${text.slice(0, widthMax - 1)}…` : text;
}
