// The decisions of bootstrap.mjs, free of I/O so that they can be tested.

/** Whether a Node version is at least the given one. */
export function supportsTools(version, least) {
  const [a, b] = [version, least].map((text) => text.split('.').map(Number));
  for (const [index, part] of b.entries()) if (a[index] !== part) return a[index] > part;
  return true;
}

/**
 * Why the installed packages do not satisfy the lockfile; null when they do. npm writes its own lockfile into
 * node_modules as the last act of an installation, so one that was cut short counts as none.
 */
export function lacks(lockfile, installed) {
  if (!installed?.packages) return 'nothing is installed';
  // npm calls a package of ours optional too if somebody else could do without it.
  const { dependencies = {}, devDependencies = {} } = lockfile.packages[''] ?? {};
  const own = new Set(Object.keys({ ...dependencies, ...devDependencies }).map((name) => `node_modules/${name}`));
  for (const [place, wanted] of Object.entries(lockfile.packages)) {
    const isPackage = place.startsWith('node_modules/') || place.includes('/node_modules/');
    if (!isPackage) continue; // the root and the workspaces themselves
    const found = installed.packages[place];
    const mayBeAbsent = !own.has(place) && (wanted.optional || wanted.devOptional || wanted.peer); // other platforms' binaries
    if (!found && mayBeAbsent) continue;
    if (!found || found.version !== wanted.version || found.integrity !== wanted.integrity) return `${place.replace(/^node_modules\//, '')} changed`;
  }
  return null;
}

/** What a command needs built: stopping and asking need only the tools, and a few test files only what they name. */
export function projectsToBuild(command, args) {
  if (command === 'start' || command === 'up' || command === 'chaos' || command === 'bench') return 'all';
  if (command === 'test' && (args.length === 0 || args.some((arg) => arg.includes('e2e')))) return 'all';
  return ['tools'];
}

/** How far up npm can be: npm → sh → node, or npm → node where the shell replaced itself. */
const generationsMax = 3;

/**
 * The processes without which nobody could stop us: this one, and under npm those up to npm itself. Anything above may
 * end without meaning us (a script that put us in the background).
 */
export function launchersOf({ pid, parent, underNpm, look }) {
  const self = look(pid);
  const above = [];
  if (underNpm) {
    for (let next = look(parent); next && above.length < generationsMax; next = look(next.parent)) {
      above.push(next);
      if (/^npm\b/.test(next.name)) return [self, ...above];
    }
  }
  return self ? [self] : [];
}
