import { ofKind, selects, type Manifest, type Selector } from './manifests.js';

/** One end of a connection: pods of this namespace, pods of another one, or an address outside. */
export type End = { labels: Record<string, string> } | { namespace: string; labels?: Record<string, string> } | { address: string };
type Ours = { labels: Record<string, string> };

/** Whether the policies let one end go to the other, and the other take it; each is asked only where it is ours. */
export function mayReach(manifests: Manifest[], from: End, to: End, port: number, protocol = 'TCP'): boolean {
  const policies = ofKind(manifests, 'NetworkPolicy');
  return (!isOurs(from) || passes(policies, 'Egress', from.labels, to, port, protocol)) && (!isOurs(to) || passes(policies, 'Ingress', to.labels, from, port, protocol));
}

/** Whether pods of ours with these labels take somebody, whatever lets him go there. */
export const admits = (manifests: Manifest[], to: Record<string, string>, from: End, port: number): boolean => passes(ofKind(manifests, 'NetworkPolicy'), 'Ingress', to, from, port, 'TCP');

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

const isOurs = (end: End): end is Ours => 'labels' in end && !('namespace' in end);

function inBlock(cidr: string, address: string): boolean {
  const [base, bits] = cidr.split('/');
  const number = (text: string): number => text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(bits));
  return Math.floor(number(base!) / size) === Math.floor(number(address) / size);
}

/** One thing less that a policy allows: a port, an end, or one name of an end. */
export interface Allow {
  what: string;
  /** Takes it away from manifests that are a copy. */
  remove: (manifests: Manifest[]) => void;
}

/** Everything that the policies allow, each part by itself: without any of them somebody is cut off who should not be. */
export function allows(manifests: Manifest[]): Allow[] {
  return ofKind(manifests, 'NetworkPolicy').flatMap(({ metadata: { name }, spec }) => (['ingress', 'egress'] as const).flatMap((direction) => (spec[direction] ?? []).flatMap((rule: Manifest, at: number) => {
    const ends = direction === 'ingress' ? 'from' : 'to';
    const lists = [...partsOf(rule, ends, (end) => JSON.stringify(end)), ...partsOf(rule, 'ports', (port) => `${port.protocol} ${port.port}`)];
    return lists.map(([what, take]): Allow => ({
      what: `${name} without ${what} (${direction} ${at + 1})`,
      remove: (all) => {
        const policy = all.find((one) => one.kind === 'NetworkPolicy' && one.metadata.name === name);
        if (take(policy.spec[direction][at])) policy.spec[direction].splice(at, 1);
      },
    }));
  })));
}

/** @returns what may be taken out of a list; taking says whether nothing is left, for a rule with an empty list allows everything */
function partsOf(rule: Manifest, list: string, say: (one: Manifest) => string): [string, (rule: Manifest) => boolean][] {
  return rule[list].flatMap((one: Manifest, at: number) => {
    const names: string[] = one.podSelector?.matchExpressions?.[0].values ?? [];
    const whole: [string, (rule: Manifest) => boolean] = [say(one), (copy) => { copy[list].splice(at, 1); return copy[list].length === 0; }];
    return [whole, ...names.map((name, index): [string, (rule: Manifest) => boolean] => [name, (copy) => { copy[list][at].podSelector.matchExpressions[0].values.splice(index, 1); return false; }])];
  });
}
