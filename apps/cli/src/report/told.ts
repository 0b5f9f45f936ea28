import { readFileSync } from 'node:fs';
import { usageFailure } from '../failure.js';

/** What buyers were told in the end, counted by idempotency key: attempts that were turned away leave no record, so only who sent them knows. */
export interface Told {
  readonly sale: string;
  readonly accepted: number;
  /** By code of the contract. */
  readonly refused: Readonly<Record<string, number>>;
}

/** Reads what `npm start -- --report FILE` has written. @throws a failure of the command line where it is nothing such, or of another sale */
export function readTold(file: string, saleId: string): Told {
  const told = parsed(read(file));
  if (told === null) throw usageFailure(`${file} is no report of a scenario's run`);
  if (told.sale !== saleId) throw usageFailure(`${file} is of the sale ${told.sale}`);
  return told;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw usageFailure(`${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
  }
}

function parsed(text: string): Told | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const { sale, accepted, refused } = (value ?? {}) as Record<string, unknown>;
  if (typeof sale !== 'string' || !isCount(accepted) || typeof refused !== 'object' || refused === null) return null;
  const codes = Object.entries(refused as Record<string, unknown>);
  return codes.every((entry): entry is [string, number] => isCount(entry[1])) ? { sale, accepted, refused: Object.fromEntries(codes) } : null;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
