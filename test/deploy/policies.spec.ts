import { describe, expect, it } from '@jest/globals';
import { apps, named, ofKind, overlays, readManifests, servers, workloads, type Manifest } from './manifests.js';
import { monitoringPolicies } from './monitoring.policies.js';
import { allows } from './network.js';
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

type Change = (manifests: Manifest[]) => void;
type Tamper = [what: string, rule: string, change: Change];
const container = (manifests: Manifest[], app: string): Manifest => named(manifests, `Deployment/${app}`).spec.template.spec.containers[0];
const podOf = (manifests: Manifest[], app: string): Manifest => named(manifests, `Deployment/${app}`).spec.template.spec;
const without = (list: Manifest[], gone: (one: Manifest) => boolean): void => { list.splice(0, list.length, ...list.filter((one) => !gone(one))); };
const environment = 'every environment is what its reader wants, no more and no less';
const reaching = 'everybody reaches whom they need';
const scraping = 'every app is scraped where it answers, under the names that rules ask for';
const asking = 'every rule and dashboard asks for what is exposed';
const boards = 'every dashboard is there, where Grafana looks';
const budgets = 'every server has a disruption budget, and every budget somebody';
const probing = 'every server is probed';
const edge = 'the edge leads buyers to everything that is theirs, and to nothing of the operators';
const queueing = 'every queue that is named exists, on a broker that KEDA finds from its own namespace';
/** These have a default, and are missed elsewhere or not at all. */
const optional = ['NODE_ENV', 'NAMESPACE', 'INTERNAL_HOST', 'HOST', 'TRUSTED_PROXIES', 'DEV_LOGIN'];
const containerOf = (manifests: Manifest[], name: string): Manifest => workloads(manifests).find((one) => one.name === name)!.container;

/** Everything of one kind that may be taken away, whatever the manifests have of it. */
const losses = (all: Manifest[]): Tamper[] => [
  ...allows(all).map(({ what, remove }): Tamper => [`NetworkPolicy ${what}`, reaching, remove]),
  ...servers(all).flatMap(({ name }) => ['startupProbe', 'readinessProbe', 'livenessProbe'].map((probe): Tamper => [`${name} without its ${probe}`, probing, (copy) => { delete containerOf(copy, name)[probe]; }])),
  ...workloads(all).filter(({ container: { image } }) => /floodgate\//.test(image)).flatMap(({ name, container: { env } }) => env.filter((one: Manifest) => !optional.includes(one.name))
    .map((one: Manifest): Tamper => [`${name} without ${one.name}`, environment, (copy) => { without(containerOf(copy, name).env, (other) => other.name === one.name); }])),
  ...ofKind(all, 'PodDisruptionBudget').map(({ metadata: { name } }): Tamper => [`the budget of ${name} selects another`, budgets, (copy) => { named(copy, `PodDisruptionBudget/${name}`).spec.selector.matchLabels['app.kubernetes.io/name'] = 'nobody'; }]),
  ...ofKind(all, 'HTTPRoute').flatMap(({ metadata: { name }, spec: { rules: [{ matches }] } }) => matches.filter(({ path }: Manifest) => name === 'gateway' ? path.value !== '/openapi.json' : path.value === '/v1/admin')
    .map(({ path }: Manifest): Tamper => [`the route ${name} without ${path.value}`, edge, (copy) => { without(named(copy, `HTTPRoute/${name}`).spec.rules[0].matches, (one) => one.path.value === path.value); }])),
  ...ofKind(all, 'PodDisruptionBudget').map(({ metadata: { name } }): Tamper => [`no budget of ${name}`, budgets, (copy) => { without(copy, (one) => one.kind === 'PodDisruptionBudget' && one.metadata.name === name); }]),
];

/** What somebody might change or mistype, and the rule that must say so. */
const tampers: Tamper[] = [
  ['no DNS', reaching, (all) => { without(all, ({ metadata }) => metadata.name === 'allow-dns'); }],
  ['no default deny', 'nothing goes in or out that nobody allowed', (all) => { without(all, ({ metadata }) => metadata.name === 'default-deny'); }],
  ['a Redis for everybody', 'nothing goes in or out that nobody allowed', (all) => { named(all, 'NetworkPolicy/redis').spec.ingress[0].from = [{ podSelector: {} }]; }],
  ['an order service at the edge', 'only the edge and whoever watches come in from outside', (all) => { named(all, 'NetworkPolicy/order').spec.ingress.push(named(all, 'NetworkPolicy/gateway').spec.ingress[1]); }],
  ['no way to Stripe', reaching, (all) => { without(all, ({ metadata }) => metadata.name === 'order-to-stripe'); }],
  ['a probe elsewhere', 'every app is probed where it answers', (all) => { container(all, 'order').readinessProbe.httpGet.path = '/livez'; }],
  ['a probe of another port', 'every app is probed where it answers', (all) => { container(all, 'gateway').livenessProbe.httpGet.port = 'http'; }],
  ['a sale calendar elsewhere', 'every address leads to a service that is there', (all) => { containerOf(all, 'CronJob/pre-scale').env.find(({ name }: Manifest) => name === 'GATEWAY_URL').value = 'http://gateway:8080'; }],
  ['a broker of another namespace', queueing, (all) => { named(all, 'ScaledObject/order').spec.triggers[0].metadata.host = 'http://rabbitmq:15672/'; }],
  ['a Redis without its settings', 'Redis forgets nothing by itself', (all) => { without(all, ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith('redis-config')); }],
  ['a secret that no template has', 'every secret comes from a reference that gives it', (all) => { delete named(all, 'ExternalSecret/redis-auth').spec.target.template.data.REDIS_URL; }],
  ['a budget that holds pods that are not ready', budgets, (all) => { delete named(all, 'PodDisruptionBudget/order').spec.unhealthyPodEvictionPolicy; }],
  ['a variable that nobody reads', environment, (all) => { container(all, 'order').env.push({ name: 'REDIS_URL_FILE', value: '/run/secrets/floodgate/REDIS_URL' }); }],
  ['an argument that is not there', environment, (all) => { container(all, 'gateway').env.find(({ name }: Manifest) => name === 'PORT').value = 'http'; }],
  ['root', 'every pod is restricted', (all) => { podOf(all, 'order').securityContext.runAsUser = 0; }],
  ['a file system to write on', 'every pod is restricted', (all) => { delete container(all, 'order').securityContext.readOnlyRootFilesystem; }],
  ['a broker as its operator makes it', 'every pod is restricted', (all) => { delete named(all, 'RabbitmqCluster/rabbitmq').spec.override; }],
  ['a privileged namespace', 'every pod is restricted', (all) => { named(all, 'Namespace/floodgate').metadata.labels['pod-security.kubernetes.io/enforce'] = 'baseline'; }],
  ['no limit of memory', 'every container says what it needs, and has a limit of memory', (all) => { delete container(all, 'seckill').resources.limits; }],
  ['a token', 'nobody has a token who does not need one, and everybody an account of their own', (all) => { delete podOf(all, 'gateway').automountServiceAccountToken; }],
  ['no time to leave', 'every app leaves in order, and is replaced before it goes', (all) => { podOf(all, 'gateway').terminationGracePeriodSeconds = 15; }],
  ['all at once', 'every app leaves in order, and is replaced before it goes', (all) => { named(all, 'Deployment/gateway').spec.strategy.rollingUpdate.maxUnavailable = 1; }],
  ['one node for all', 'every app leaves in order, and is replaced before it goes', (all) => { delete podOf(all, 'seckill').topologySpreadConstraints; }],
  ['a service that leads nowhere', 'every service leads to a port of somebody', (all) => { named(all, 'Service/gateway').spec.selector['app.kubernetes.io/name'] = 'gate'; }],
  ['a secret in the open', 'every secret comes from a reference that gives it', (all) => { container(all, 'order').env.push({ name: 'CODE_FINGERPRINT_KEY', value: 'q7Hk2ZpX9vLw4NbT8sRd3YcMf6GjUa5E' }); }],
  ['a secret that is not fetched', 'every secret comes from a reference that gives it', (all) => { without(named(all, 'ExternalSecret/gateway-secrets').spec.data, ({ secretKey }) => secretKey === 'RECEIPT_SECRET'); }],
  ['a secret that is not mounted', 'every secret comes from a reference that gives it', (all) => { without(podOf(all, 'seckill').volumes[0].projected.sources, ({ secret }) => secret.name === 'redis-auth'); }],
  ['a Secret', 'every secret comes from a reference that gives it', (all) => { all.push({ kind: 'Secret', metadata: { name: 'x' } }); }],
  ['a queue that is not there', queueing, (all) => { named(all, 'ScaledObject/order').spec.triggers[0].metadata.queueName = 'floodgate.order.place'; }],
  ['a queue of another namespace', queueing, (all) => { container(all, 'order').env.find(({ name }: Manifest) => name === 'NAMESPACE').value = 'shop'; }],
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
  ['an admin API in the shop', edge, (all) => { named(all, 'HTTPRoute/gateway').spec.rules[0].matches.push({ path: { type: 'PathPrefix', value: '/v1' } }); }],
  ['operators for anybody', edge, (all) => { without(all, ({ kind }) => kind === 'SecurityPolicy'); }],
  ['no limit', edge, (all) => { without(all, ({ kind }) => kind === 'BackendTrafficPolicy'); }],
  ['a Redis that is evicted first', 'whoever sells goes last', (all) => { delete named(all, 'StatefulSet/redis').spec.template.spec.priorityClassName; }],
  ['more orders than connections', 'Postgres has a connection for everybody who may want one', (all) => { named(all, 'ScaledObject/order').spec.maxReplicaCount = 24; }],
  ['development', 'nobody is anybody', (all) => { container(all, 'gateway').env.find(({ name }: Manifest) => name === 'NODE_ENV').value = 'development'; }],
];

describe.each(overlays)('what %s loses is missed', (overlay) => {
  const rules = overlay === 'prod' ? inProduction : policies;
  it.each(losses(readManifests(overlay)))('%s', (_what, rule, change) => {
    const manifests = readManifests(overlay);
    change(manifests);
    expect(rules[rule]!(manifests)).not.toEqual([]);
  });
});

describe('what is changed is missed', () => {
  it.each(tampers)('%s', (_what, rule, change) => {
    const manifests = readManifests('prod');
    change(manifests);
    expect(inProduction[rule]!(manifests)).not.toEqual([]);
  });
});

it('every rule misses something', () => {
  expect([...new Set([...losses(readManifests('prod')), ...tampers].map(([, rule]) => rule))].sort()).toEqual(Object.keys(inProduction).sort());
});
