import { usageFailure } from '../failure.js';
import type { Option, Parameter } from './command.js';

/** A whole number within bounds. */
export const integer = (name: string, least: number, most: number) => (text: string): number => {
  const value = Number(text);
  if (/^\d{1,9}$/.test(text) && value >= least && value <= most) return value;
  throw usageFailure(`${name} must be a whole number from ${least} to ${most}`);
};

export const limitOption: Option = { flags: '--limit <n>', about: 'rows at most', parse: integer('--limit', 1, 10_000), default: 20 };
export const saleId: Parameter = { name: 'sale-id', about: 'the sale' };
export const noteMore = (more: boolean): string[] => (more ? ['(there is more: raise --limit)'] : []);
