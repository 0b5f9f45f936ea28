/** What the process table says of one process. */
export interface ProcessView {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  readonly startedAt: string;
}
export interface Lockfile {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly integrity?: string; readonly optional?: boolean; readonly devOptional?: boolean; readonly peer?: boolean; readonly link?: boolean; readonly dependencies?: Readonly<Record<string, string>>; readonly devDependencies?: Readonly<Record<string, string>> }>>;
}
export function supportsTools(version: string, least: string): boolean;
export function lacks(lockfile: Lockfile, installed: Partial<Lockfile> | null): string | null;
export function projectsToBuild(command: string, args: readonly string[]): 'all' | string[];
export function launchersOf(options: { pid: number; parent: number; underNpm: boolean; look: (pid: number) => ProcessView | null }): ProcessView[];
