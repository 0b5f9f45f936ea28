import { describe, expect, it } from '@jest/globals';
import { apps, named, overlays, readManifests, type Manifest } from './manifests.js';
import { monitoringPolicies } from './monitoring.policies.js';
import { policies, productionPolicies, type Policy } from './policies.js';

const inProduction: Record<string, Policy> = { ...policies, ...productionPolicies, ...monitoringPolicies };

describe.each(overlays)('the manifests of %s', (overlay) => {
  const manifests = readManifests(overlay);
  const rules = overlay === 'prod' ? inProduction : policies;

  it.each(Object.entries(rules))('%s', (_rule, policy) => {
    expect(policy(manifests)).toEqual([]);
  });

  it('have every service', () => {
    expect(apps(manifests).map(({ app }) => app).sort()).toEqual(['gateway', 'notification', 'order', 'promotion', 'seckill', ...(overlay === 'dev' ? ['sandbox-payment'] : [])].sort());
  });
});

const container = (manifests: Manifest[], app: string): Manifest => named(manifests, `Deployment/${app}`).spec.template.spec.containers[0];
const podOf = (manifests: Manifest[], app: string): Manifest => named(manifests, `Deployment/${app}`).spec.template.spec;
const without = (list: Manifest[], gone: (one: Manifest) => boolean): void => { list.splice(0, list.length, ...list.filter((one) => !gone(one))); };
const portOf = (rule: Manifest): number => rule.ports[0].port;
const environment = 'every environment is what its reader wants, no more and no less';
const reaching = 'everybody reaches whom their environment names';
const entering = 'whoever has to come in comes in';
const scraping = 'every app is scraped where it answers, under the names that rules ask for';
const asking = 'every rule and dashboard asks for what is exposed';
const boards = 'every dashboard is there, where Grafana looks';
const budgets = 'every server has a disruption budget, and every budget somebody';

/** What somebody might take away or mistype, and the rule that must say so. */
const tampers: [string, string, (manifests: Manifest[]) => void][] = [
  // Each probe of each app.
  ...['gateway', 'promotion', 'seckill', 'order', 'notification'].flatMap((app) => ['startupProbe', 'readinessProbe', 'livenessProbe'].map((probe): [string, string, (manifests: Manifest[]) => void] => (
    [`${app} without its ${probe}`, 'every app is probed where it answers', (all) => { delete container(all, app)[probe]; }]
  ))),
  // Each variable that an app cannot do without.
  ...apps(readManifests('prod')).flatMap(({ app, container: { env } }) => env.filter(({ name }: Manifest) => !['NODE_ENV', 'NAMESPACE', 'INTERNAL_HOST', 'HOST', 'TRUSTED_PROXIES'].includes(name))
    .map(({ name }: Manifest): [string, string, (manifests: Manifest[]) => void] => [`${app} without ${name}`, environment, (all) => { without(container(all, app).env, (one) => one.name === name); }])),
  // Each allowed way out of an app.
  ...['gateway', 'promotion', 'seckill', 'order', 'notification', 'migration', 'pre-scale'].flatMap((app) => named(readManifests('prod'), `NetworkPolicy/${app}`).spec.egress
    .map((rule: Manifest): [string, string, (manifests: Manifest[]) => void] => [`${app} not let out to ${portOf(rule)}`, reaching, (all) => { without(named(all, `NetworkPolicy/${app}`).spec.egress, (one) => portOf(one) === portOf(rule)); }])),
  // Each allowed way in.
  ...([['gateway', 9464, entering], ['gateway', 8080, entering], ['order', 9464, entering], ['redis', 6379, reaching], ['postgres', 5432, reaching], ['rabbitmq', 5672, reaching], ['rabbitmq', 15672, entering], ['pre-scale-to-gateway', 8080, reaching]] as const)
    .map(([name, port, rule]): [string, string, (manifests: Manifest[]) => void] => [`${name} not let in on ${port}`, rule, (all) => { without(named(all, `NetworkPolicy/${name}`).spec.ingress, (one) => portOf(one) === port); }]),
  ...['gateway', 'promotion', 'seckill', 'order', 'notification', 'redis', 'rabbitmq'].map((name): [string, string, (manifests: Manifest[]) => void] => (
    [`the budget of ${name} selects another`, budgets, (all) => { named(all, `PodDisruptionBudget/${name}`).spec.selector.matchLabels['app.kubernetes.io/name'] = 'nobody'; }])),
  ['no DNS', reaching, (all) => { without(all, ({ metadata }) => metadata.name === 'allow-dns'); }],
  ['no default deny', 'nothing goes in or out that nobody allowed', (all) => { without(all, ({ metadata }) => metadata.name === 'default-deny'); }],
  ['no way to Stripe', reaching, (all) => { without(all, ({ metadata }) => metadata.name === 'order-to-stripe'); }],
  ['a budget that holds pods that are not ready', budgets, (all) => { delete named(all, 'PodDisruptionBudget/order').spec.unhealthyPodEvictionPolicy; }],
  ['a variable that nobody reads', environment, (all) => { container(all, 'order').env.push({ name: 'REDIS_URL_FILE', value: '/run/secrets/floodgate/REDIS_URL' }); }],
  ['an argument that is not there', environment, (all) => { container(all, 'gateway').env.find(({ name }: Manifest) => name === 'PORT').value = 'http'; }],
  ['root', 'every pod is restricted', (all) => { podOf(all, 'order').securityContext.runAsUser = 0; }],
  ['a file system to write on', 'every pod is restricted', (all) => { delete container(all, 'order').securityContext.readOnlyRootFilesystem; }],
  ['a privileged namespace', 'every pod is restricted', (all) => { named(all, 'Namespace/floodgate').metadata.labels['pod-security.kubernetes.io/enforce'] = 'baseline'; }],
  ['no limit of memory', 'every container says what it needs, and has a limit of memory', (all) => { delete container(all, 'seckill').resources.limits; }],
  ['a token', 'nobody has a token who does not need one, and everybody an account of their own', (all) => { delete podOf(all, 'gateway').automountServiceAccountToken; }],
  ['no time to leave', 'every app leaves in order, and is replaced before it goes', (all) => { podOf(all, 'gateway').terminationGracePeriodSeconds = 15; }],
  ['all at once', 'every app leaves in order, and is replaced before it goes', (all) => { named(all, 'Deployment/gateway').spec.strategy.rollingUpdate.maxUnavailable = 1; }],
  ['one node for all', 'every app leaves in order, and is replaced before it goes', (all) => { delete podOf(all, 'seckill').topologySpreadConstraints; }],
  ['a server without a probe', 'every server is probed', (all) => { delete named(all, 'StatefulSet/redis').spec.template.spec.containers[0].livenessProbe; }],
  ['a service that leads nowhere', 'every service leads to a port of somebody', (all) => { named(all, 'Service/gateway').spec.selector['app.kubernetes.io/name'] = 'gate'; }],
  ['a secret in the open', 'every secret comes from a reference that gives it', (all) => { container(all, 'order').env.push({ name: 'CODE_FINGERPRINT_KEY', value: 'q7Hk2ZpX9vLw4NbT8sRd3YcMf6GjUa5E' }); }],
  ['a secret that is not fetched', 'every secret comes from a reference that gives it', (all) => { without(named(all, 'ExternalSecret/gateway-secrets').spec.data, ({ secretKey }) => secretKey === 'RECEIPT_SECRET'); }],
  ['a secret that is not mounted', 'every secret comes from a reference that gives it', (all) => { without(podOf(all, 'seckill').volumes[0].projected.sources, ({ secret }) => secret.name === 'redis-auth'); }],
  ['a Secret', 'every secret comes from a reference that gives it', (all) => { all.push({ kind: 'Secret', metadata: { name: 'x' } }); }],
  ['a queue that is not there', 'every queue that is named exists', (all) => { named(all, 'ScaledObject/order').spec.triggers[0].metadata.queueName = 'floodgate.order.place'; }],
  ['a queue of another namespace', 'every queue that is named exists', (all) => { container(all, 'order').env.find(({ name }: Manifest) => name === 'NAMESPACE').value = 'shop'; }],
  ['two who decide how many', 'every autoscaler has a target, which leaves the count to it', (all) => { named(all, 'Deployment/gateway').spec.replicas = 3; }],
  ['no migration', 'every schema is migrated by a job before its app', (all) => { without(all, ({ metadata }) => metadata.name === 'migrate-order'); }],
  ['an older migration', 'every schema is migrated by a job before its app', (all) => { named(all, 'Job/migrate-order').spec.template.spec.containers[0].image += '-old'; }],
  ['a Redis that evicts', 'Redis forgets nothing by itself', (all) => { const map = all.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith('redis-config')); map.data['redis.conf'] = map.data['redis.conf'].replace('noeviction', 'allkeys-lru'); }],
  ['no backup', 'Postgres is saved every day, and its log all the time', (all) => { without(all, ({ kind }) => kind === 'ScheduledBackup'); }],
  ['an app that is not scraped', scraping, (all) => { without(named(all, 'PodMonitor/floodgate').spec.selector.matchExpressions[0].values, (one) => one === 'seckill'); }],
  ['a scrape elsewhere', scraping, (all) => { named(all, 'PodMonitor/floodgate').spec.podMetricsEndpoints[0].port = 'public'; }],
  ['a scrape under another job', scraping, (all) => { without(named(all, 'PodMonitor/floodgate').spec.podMetricsEndpoints[0].relabelings, ({ targetLabel }) => targetLabel === 'job'); }],
  ['a metric that is not there', asking, (all) => { named(all, 'PrometheusRule/floodgate').spec.groups[0].rules[0].expr = 'max(floodgate_gone_total) > 0'; }],
  ['a rule that is no query', asking, (all) => { named(all, 'PrometheusRule/floodgate').spec.groups[0].rules[0].expr = 'max(floodgate_redis_up'; }],
  ['no rules', asking, (all) => { without(all, ({ kind }) => kind === 'PrometheusRule'); }],
  ['a dashboard less', boards, (all) => { delete named(all, 'ConfigMap/floodgate-dashboards').data['queues.json']; }],
  ['dashboards that nobody finds', boards, (all) => { delete named(all, 'ConfigMap/floodgate-dashboards').metadata.labels; }],
  ['development', 'nobody is anybody', (all) => { container(all, 'gateway').env.find(({ name }: Manifest) => name === 'NODE_ENV').value = 'development'; }],
];

describe('what is taken away is missed', () => {
  it.each(tampers)('%s', (_what, rule, tamper) => {
    const manifests = readManifests('prod');
    tamper(manifests);
    expect(inProduction[rule]!(manifests)).not.toEqual([]);
  });

  it('by every rule', () => {
    expect([...new Set(tampers.map(([, rule]) => rule))].sort()).toEqual(Object.keys(inProduction).sort());
  });
});
