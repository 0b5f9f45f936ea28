// Writes what is made of other files: the PrometheusRule (of deploy/prometheus/rules), and k8s/rendered: what `kubectl apply -k` would send,
// to be read in a review and checked by tests where there is no kubectl. The first line of each file has the digests of everything that it was made from
// and of what was made of it, and the version of Kustomize: another version may write the same differently.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';

const root = path.resolve(import.meta.dirname, '..');
const sources = ['k8s/base', 'k8s/components', 'k8s/overlays', 'deploy/grafana/dashboards'];
export const overlays = ['dev', 'prod'];
export const rulesFile = path.join(root, 'k8s/components/monitoring/prometheus-rule.yaml');

/** Every file below a folder, by its path from the root of the repository. */
const filesOf = (folder) => readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).replaceAll('\\', '/')).sort();

/** Digest of the names and contents of all sources. */
export function sourcesDigest() {
  const hash = createHash('sha256');
  for (const file of [...sources.flatMap(filesOf), 'deploy/grafana/kustomization.yaml']) hash.update(`${file}\n`).update(readFileSync(path.join(root, file)));
  return hash.digest('hex');
}

/** The rules that Prometheus reads from files elsewhere, as the operator takes them. */
export function prometheusRule() {
  const groups = filesOf('deploy/prometheus/rules').flatMap((file) => parse(readFileSync(path.join(root, file), 'utf8')).groups);
  const rule = { apiVersion: 'monitoring.coreos.com/v1', kind: 'PrometheusRule', metadata: { name: 'floodgate' }, spec: { groups } };
  return `# Made of deploy/prometheus/rules by node k8s/render.mjs.\n${stringify(rule, { lineWidth: 0 })}`;
}

/** The first line of a rendering. */
export function headerOf(text, version) {
  return `# sources ${sourcesDigest()}, rendered ${createHash('sha256').update(text).digest('hex')}, Kustomize ${version}`;
}

/** The Kustomize in this machine's kubectl; null where there is no kubectl, or one too old to say so. */
export function kustomizeVersion() {
  try {
    return JSON.parse(execFileSync('kubectl', ['version', '--client', '--output', 'json'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })).kustomizeVersion ?? null;
  } catch {
    return null;
  }
}

/** What this machine's kubectl makes of an overlay. */
export const render = (overlay) => execFileSync('kubectl', ['kustomize', path.join(root, 'k8s/overlays', overlay)], { encoding: 'utf8' });

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const version = kustomizeVersion();
  if (!/^v5\./.test(version ?? '')) throw new Error('kubectl with Kustomize 5 is needed (kubectl 1.27 or newer)');
  writeFileSync(rulesFile, prometheusRule());
  mkdirSync(path.join(root, 'k8s/rendered'), { recursive: true });
  for (const overlay of overlays) {
    const text = render(overlay);
    writeFileSync(path.join(root, 'k8s/rendered', `${overlay}.yaml`), `${headerOf(text, version)}\n${text}`);
  }
}
