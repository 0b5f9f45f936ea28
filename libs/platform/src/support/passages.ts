import { readFileSync } from 'node:fs';
import { crashLogOf } from '../crash-points.js';

export interface Passage {
  service: string;
  point: string;
  count: number;
  what: string;
}

/** What the processes that were given this CRASH_DIR wrote down, oldest first. */
export function readPassages(folder: string): Passage[] {
  let text = '';
  try {
    text = readFileSync(crashLogOf(folder), 'utf8');
  } catch {
    return []; // nobody passed anything yet
  }
  return text.trim().split('\n').map((line) => {
    const [service = '', , point = '', count = '', what = ''] = line.split(' ');
    return { service, point, count: Number(count), what };
  });
}
