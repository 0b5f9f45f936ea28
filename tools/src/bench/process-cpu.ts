import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Processes by the name under which they are shown, each with everything that it started. */
export type Roots = Readonly<Record<string, number>>;

interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  /** Own and of children that have ended, user and system. */
  readonly ticks: number;
}

/** Of /proc/PID/stat; 100 on every Linux that anybody meets. */
const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
const pageBytes = Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' }));

/** CPU time so far, microseconds, by name: a process, those that it started, and those of them that have ended. @throws where one of them is gone */
export function readCpu(roots: Roots): Record<string, number> {
  const rows = readRows();
  return Object.fromEntries(Object.entries(roots).map(([name, pid]) => {
    const tree = treeOf(rows, pid);
    if (tree.length === 0) throw new Error(`${name} (pid ${pid}) is gone: what it cost cannot be told`);
    return [name, (tree.reduce((sum, { ticks }) => sum + ticks, 0) / ticksPerSecond) * 1e6];
  }));
}

/** What was used between two readings. */
export function usedBetween(before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.keys(before).map((name) => [name, after[name]! - before[name]!]));
}

/** Memory now, bytes, by name: each process of the tree without what it shares with others. */
export function readMemory(roots: Roots): Record<string, number> {
  const rows = readRows();
  return Object.fromEntries(Object.entries(roots).map(([name, pid]) => [name, treeOf(rows, pid).reduce((sum, row) => sum + ownBytes(row.pid), 0)]));
}

function ownBytes(pid: number): number {
  try {
    const [, resident = 0, shared = 0] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ').map(Number);
    return (resident - shared) * pageBytes;
  } catch {
    return 0; // it ended since the list was made
  }
}

function readRows(): ProcessRow[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    try {
      return [parseStat(readFileSync(`/proc/${name}/stat`, 'latin1'))];
    } catch {
      return []; // it ended since the list was made: its parent has its time now
    }
  });
}

/** A line of /proc/PID/stat. */
export function parseStat(line: string): ProcessRow {
  const end = line.lastIndexOf(')'); // the name before it may contain anything
  const fields = line.slice(end + 2).split(' ').map(Number);
  const [utime, stime, cutime, cstime] = fields.slice(11, 15) as [number, number, number, number];
  return { pid: Number(line.slice(0, line.indexOf(' '))), parent: fields[1]!, ticks: utime + stime + cutime + cstime };
}

function treeOf(rows: readonly ProcessRow[], root: number): ProcessRow[] {
  const found = rows.filter(({ pid }) => pid === root);
  for (let at = 0; at < found.length; at++) found.push(...rows.filter(({ parent }) => parent === found[at]!.pid));
  return found;
}
