import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';

export const root = path.resolve(import.meta.dirname, '../..');
export const overlays = ['dev', 'prod'] as const;
export type Overlay = (typeof overlays)[number];

/** A manifest as it was read: what is in it is for the rules to find out. */
export type Manifest = any;
/** The pods of one workload. */
export interface Workload {
  /** `Deployment/gateway` */
  name: string;
  manifest: Manifest;
  pod: Manifest;
  labels: Record<string, string>;
  container: Manifest;
}

export const renderedFile = (overlay: Overlay): string => path.join(root, 'k8s/rendered', `${overlay}.yaml`);
const parse = (text: string): Manifest[] => parseAllDocuments(text).map((document) => document.toJS());
const read = Object.fromEntries(overlays.map((overlay) => [overlay, parse(readFileSync(renderedFile(overlay), 'utf8'))]));
/** A copy each time, so that whoever changes it changes nobody else's. */
export const readManifests = (overlay: Overlay): Manifest[] => structuredClone(read[overlay]!);
export const envOf = (container: Manifest): Record<string, string> => Object.fromEntries((container.env ?? []).map(({ name, value }: Manifest) => [name, value]));

export const ofKind = (manifests: Manifest[], ...kinds: string[]): Manifest[] => manifests.filter(({ kind }) => kinds.includes(kind));
export const nameOf = ({ kind, metadata }: Manifest): string => `${kind}/${metadata.name}`;

/** @throws where there is no such manifest */
export function named(manifests: Manifest[], name: string): Manifest {
  const found = manifests.find((manifest) => nameOf(manifest) === name);
  if (!found) throw new Error(`there is no ${name}`);
  return found;
}

/** Everything that has pods of its own making (those of the operators' clusters are the operators'). */
export function workloads(manifests: Manifest[]): Workload[] {
  return ofKind(manifests, 'Deployment', 'StatefulSet', 'Job', 'CronJob').map((manifest) => {
    const template = manifest.kind === 'CronJob' ? manifest.spec.jobTemplate.spec.template : manifest.spec.template;
    return { name: nameOf(manifest), manifest, pod: template.spec, labels: template.metadata.labels, container: template.spec.containers[0] };
  });
}

/** Those that serve: a Job has no probes, and nobody keeps it from being evicted. */
export const servers = (manifests: Manifest[]): Workload[] => workloads(manifests).filter(({ manifest }) => ['Deployment', 'StatefulSet'].includes(manifest.kind));
/** Those that run one of our apps, with its name. */
export const apps = (manifests: Manifest[]): (Workload & { app: string })[] =>
  servers(manifests).flatMap((one) => (/floodgate\//.test(one.container.image) ? [{ ...one, app: one.manifest.metadata.name as string }] : []));

export interface Selector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

/** Whether a selector takes something with these labels; an empty one takes everything. */
export function selects(selector: Selector, labels: Record<string, string>): boolean {
  return Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value)
    && (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      if (operator !== 'In') throw new Error(`the operator ${operator} is not known here`);
      return values.includes(labels[key] ?? '');
    });
}
