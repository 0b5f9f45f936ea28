// Writes k8s/rendered: what `kubectl apply -k` would send, to be read in a review and checked by tests where there is no kubectl.
// The first line of each file is the digest of everything that it was made from.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = import.meta.dirname;
export const overlays = ['dev', 'prod'];

/** Digest of the names and contents of all sources. */
export function sourcesDigest() {
  const hash = createHash('sha256');
  for (const file of globSync('{base,components,overlays}/**/*.*', { cwd: root }).map((name) => name.replaceAll('\\', '/')).toSorted()) hash.update(`${file}\n`).update(readFileSync(path.join(root, file)));
  return hash.digest('hex');
}

/** What this machine's kubectl makes of an overlay; null where there is none with Kustomize 5. */
export function render(overlay) {
  try {
    const version = JSON.parse(execFileSync('kubectl', ['version', '--client', '--output', 'json'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
    if (!/^v5\./.test(version.kustomizeVersion ?? '')) return null;
  } catch {
    return null; // none at all, or one that is too old to say so
  }
  return execFileSync('kubectl', ['kustomize', path.join(root, 'overlays', overlay)], { encoding: 'utf8' });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(path.join(root, 'rendered'), { recursive: true });
  for (const overlay of overlays) {
    const text = render(overlay);
    if (text === null) throw new Error('kubectl with Kustomize 5 is needed (kubectl 1.27 or newer)');
    writeFileSync(path.join(root, 'rendered', `${overlay}.yaml`), `# ${sourcesDigest()}\n${text}`);
  }
}
