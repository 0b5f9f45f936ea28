import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { metricsOf, syntaxFault, withoutVariables, type RuleFile } from '../support/promql.js';
import { apps, named, ofKind, root, selects, type Manifest } from './manifests.js';
import type { Policy } from './policies.js';

/** What the services expose; the test against a running platform says when one of these is gone. */
const exposed = new Set(JSON.parse(readFileSync(path.join(root, 'test/support/exposed-metrics.json'), 'utf8')) as string[]);
const dashboardDir = path.join(root, 'deploy/grafana/dashboards');

/** What is wrong with these queries, where `recorded` are the names that rules make. */
export function queryFaults(queries: string[], recorded: string[]): string[] {
  return queries.map(withoutVariables).flatMap((query) => [syntaxFault(query) ?? [], metricsOf(query).filter((name) => !exposed.has(name) && !recorded.includes(name)).map((name) => `nobody exposes ${name}`)].flat());
}

/** Whoever watches: what a production has, and a developer's cluster need not. */
export const monitoringPolicies: Record<string, Policy> = {
  'every app is scraped where it answers, under the names that rules ask for': (manifests) => {
    const { spec } = named(manifests, 'PodMonitor/floodgate');
    const [endpoint] = spec.podMetricsEndpoints;
    const labels: Record<string, string> = Object.fromEntries((endpoint.relabelings ?? []).map(({ targetLabel, replacement, sourceLabels }: Manifest) => [targetLabel, replacement ?? sourceLabels[0]]));
    return [
      ...apps(manifests).filter((one) => !selects(spec.selector, one.labels)).map(({ name }) => `${name}: not selected`),
      ...apps(manifests).filter(({ container }) => !container.ports.some(({ name }: Manifest) => name === endpoint.port)).map(({ name }) => `${name}: has no port ${endpoint.port}`),
      ...(endpoint.path === '/metrics' && endpoint.honorLabels === true ? [] : ['not the metrics that the services expose']),
      ...(labels['job'] === 'floodgate' && labels['service'] === '__meta_kubernetes_pod_label_app_kubernetes_io_name' ? [] : ['not the job or the service that rules ask for']),
    ];
  },
  'every rule and dashboard asks for what is exposed': (manifests) => {
    const rules = ofKind(manifests, 'PrometheusRule').flatMap(({ spec }) => (spec as RuleFile).groups.flatMap((group) => group.rules));
    const recorded = rules.flatMap(({ record }) => record ?? []);
    const boards: string[] = Object.values(named(manifests, 'ConfigMap/floodgate-dashboards').data);
    const asked = boards.flatMap((text) => JSON.parse(text).panels.flatMap(({ targets }: Manifest) => targets.map(({ expr }: Manifest) => expr as string)));
    return [...(rules.some(({ alert }) => alert) ? [] : ['no alerts']), ...queryFaults([...rules.map(({ expr }) => expr), ...asked], recorded)];
  },
  'every dashboard is there, where Grafana looks': (manifests) => {
    const map = named(manifests, 'ConfigMap/floodgate-dashboards');
    const missing = readdirSync(dashboardDir).filter((file) => map.data[file] !== readFileSync(path.join(dashboardDir, file), 'utf8'));
    return [...missing, ...(map.metadata.labels?.grafana_dashboard === '1' ? [] : ['without the label that the side-car looks for'])];
  },
};
