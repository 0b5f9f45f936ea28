import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { named, nameOf, overlays, readManifests, renderedFile, root, type Manifest } from './manifests.js';
import { moduleOf, typeFaults } from './typed.js';

const load = (name: string): Promise<any> => import(name);
const { headerOf, kustomizeVersion, prometheusRule, render, rulesFile } = await load(path.join(root, 'k8s/render.mjs'));

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

  it('holds before the schemas of the cluster', async () => {
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

it('as literals of their types they have no field that there is not, and two that somebody mistyped are found', () => {
  const mistyped = readManifests('prod').filter(({ kind, metadata }) => ['PodDisruptionBudget', 'ScaledObject'].includes(kind) && metadata.name === 'order');
  named(mistyped, 'PodDisruptionBudget/order').spec.maxUnavailabel = 1;
  named(mistyped, 'ScaledObject/order').spec.maxReplicas = 3;
  // Of one program: the types take most of the time.
  expect(typeFaults([...overlays.flatMap((overlay) => readManifests(overlay)), ...mistyped]).sort()).toEqual([
    expect.stringMatching(/^PodDisruptionBudget\/order: .*maxUnavailabel/), expect.stringMatching(/^ScaledObject\/order: .*maxReplicas/),
  ]);
});

async function faultOf(manifest: Manifest): Promise<string | null> {
  const name = moduleOf(manifest);
  if (name === null) return null;
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
