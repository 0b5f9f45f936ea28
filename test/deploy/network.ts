import { ofKind, selects, type Manifest, type Selector } from './manifests.js';

/** One end of a connection: pods of this namespace, pods of another one, or an address outside. */
export type End = { labels: Record<string, string> } | { namespace: string; labels?: Record<string, string> } | { address: string };

/** Whether the policies let pods of this namespace with these labels reach the other end, and the other end (where it is ours) take it. */
export function mayReach(manifests: Manifest[], from: Record<string, string>, to: End, port: number, protocol = 'TCP'): boolean {
  const policies = ofKind(manifests, 'NetworkPolicy');
  return passes(policies, 'Egress', from, to, port, protocol) && (!isOurs(to) || passes(policies, 'Ingress', to.labels, { labels: from }, port, protocol));
}

/** Whether somebody from another namespace reaches pods of this one. */
export const mayBeReached = (manifests: Manifest[], to: Record<string, string>, from: End, port: number): boolean =>
  passes(ofKind(manifests, 'NetworkPolicy'), 'Ingress', to, from, port, 'TCP');

function passes(policies: Manifest[], direction: 'Ingress' | 'Egress', subject: Record<string, string>, peer: End, port: number, protocol: string): boolean {
  const mine = policies.filter(({ spec }) => spec.policyTypes.includes(direction) && selects(spec.podSelector, subject));
  if (mine.length === 0) return true; // whom no policy names is open to all
  return mine.some(({ spec }) => ((direction === 'Ingress' ? spec.ingress : spec.egress) ?? []).some((rule: Manifest) => {
    const ends: Manifest[] | undefined = direction === 'Ingress' ? rule.from : rule.to;
    const ports: Manifest[] | undefined = rule.ports;
    return (!ports || ports.some((one) => one.port === port && one.protocol === protocol)) && (!ends || ends.some((end) => isEnd(end, peer)));
  }));
}

function isEnd(rule: Manifest, peer: End): boolean {
  if (rule.ipBlock) return 'address' in peer && inBlock(rule.ipBlock.cidr, peer.address) && !(rule.ipBlock.except ?? []).some((cidr: string) => inBlock(cidr, peer.address));
  if ('address' in peer) return false;
  if ('namespace' in peer) {
    return rule.namespaceSelector !== undefined && selects(rule.namespaceSelector as Selector, { 'kubernetes.io/metadata.name': peer.namespace })
      && selects((rule.podSelector ?? {}) as Selector, peer.labels ?? {});
  }
  return rule.namespaceSelector === undefined && selects(rule.podSelector as Selector, peer.labels);
}

const isOurs = (end: End): end is { labels: Record<string, string> } => 'labels' in end && !('namespace' in end);

function inBlock(cidr: string, address: string): boolean {
  const [base, bits] = cidr.split('/');
  const number = (text: string): number => text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(bits));
  return Math.floor(number(base!) / size) === Math.floor(number(address) / size);
}
