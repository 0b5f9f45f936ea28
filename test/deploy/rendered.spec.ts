import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { nameOf, overlays, readManifests, renderedFile, root, type Manifest } from './manifests.js';

const load = (name: string): Promise<any> => import(name);
const { headerOf, kustomizeVersion, prometheusRule, render, rulesFile } = await load(path.join(root, 'k8s/render.mjs'));

/** Where the compiled schemas of a group are; the core's own are in kubernetes-models. */
const packages: Record<string, string> = {
  'keda.sh': '@kubernetes-models/keda', 'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
  'gateway.networking.k8s.io': '@kubernetes-models/gateway-api', 'postgresql.cnpg.io': '@kubernetes-models/cloudnative-pg',
};
/** Nobody publishes these groups' schemas as a package: they are read by people alone. */
const unchecked = ['rabbitmq.com', 'external-secrets.io', 'gateway.envoyproxy.io'];

describe.each(overlays)('the rendering of %s', (overlay) => {
  const [header, text] = splitFirstLine(readFileSync(renderedFile(overlay), 'utf8'));
  const version = header.split(' ').at(-1)!;

  it('is of these sources, and nobody wrote in it (node k8s/render.mjs)', () => {
    expect(header).toBe(headerOf(text, version));
  });

  // Another Kustomize may write the same differently, and most machines have none: there the digests have to do.
  it('is what this Kustomize makes of them, where it is here', () => {
    expect(kustomizeVersion() === version ? render(overlay) : text).toBe(text);
  });

  it('has the types of the cluster', async () => {
    const faults = await Promise.all(readManifests(overlay).map(faultOf));
    expect(faults.filter((fault) => fault !== null)).toEqual([]);
  });
});

it('the alert rules are those of deploy/prometheus/rules (node k8s/render.mjs)', () => {
  expect(readFileSync(rulesFile, 'utf8')).toBe(prometheusRule());
});

it('a wrong type is found', async () => {
  const deployment = readManifests('prod').find(({ kind }) => kind === 'Deployment');
  deployment.spec.revisionHistoryLimit = 'many';
  expect(await faultOf(deployment)).toMatch(/revisionHistoryLimit/);
});

async function faultOf(manifest: Manifest): Promise<string | null> {
  const [group, version] = manifest.apiVersion.includes('/') ? manifest.apiVersion.split('/') : ['', manifest.apiVersion];
  if (unchecked.includes(group)) return null;
  const name = packages[group] ? `${packages[group]}/${group}/${version}/${manifest.kind}` : `kubernetes-models/${group ? `${group}/` : ''}${version}/${manifest.kind}`;
  try {
    const { [manifest.kind]: Model } = await load(name);
    new Model(manifest).validate();
    return null;
  } catch (error) {
    return `${nameOf(manifest)}: ${(error as Error).message}`;
  }
}

function splitFirstLine(text: string): [string, string] {
  const end = text.indexOf('\n');
  return [text.slice(0, end), text.slice(end + 1)];
}
