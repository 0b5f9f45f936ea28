import { queues } from '@floodgate/contracts';
import { environmentFaults, isSecretFile, variableOf } from './environment.js';
import { apps, nameOf, named, ofKind, selects, servers, workloads, type Manifest, type Workload } from './manifests.js';
import { mayBeReached, mayReach, type End } from './network.js';

/** A rule over all manifests of an overlay. @returns what breaks it, in words */
export type Policy = (manifests: Manifest[]) => string[];

/** Seconds that a service takes to drain at most, before it gives up by itself. */
const drainSeconds = 10;
/** The only pod that speaks to the API server. */
const speakers = ['CronJob/pre-scale'];

const envOf = (container: Manifest): Record<string, string> => Object.fromEntries((container.env ?? []).map(({ name, value }: Manifest) => [name, value]));
const broken = (list: Workload[], holds: (one: Workload) => unknown, fault: string): string[] => list.filter((one) => !holds(one)).map(({ name }) => `${name}: ${fault}`);

export const policies: Record<string, Policy> = {
  'every pod is restricted': (manifests) => [
    ...broken(workloads(manifests), ({ pod: { securityContext } }) => securityContext?.runAsNonRoot === true && securityContext.runAsUser > 0 && securityContext.seccompProfile?.type === 'RuntimeDefault', 'pod not restricted'),
    ...broken(workloads(manifests), ({ pod }) => [...pod.containers, ...(pod.initContainers ?? [])].every(({ securityContext }: Manifest) =>
      securityContext?.allowPrivilegeEscalation === false && securityContext.readOnlyRootFilesystem === true && securityContext.capabilities?.drop?.includes('ALL')), 'container not restricted'),
    ...ofKind(manifests, 'Namespace').filter(({ metadata }) => metadata.labels['pod-security.kubernetes.io/enforce'] !== 'restricted').map((one) => `${nameOf(one)}: not restricted`),
  ],
  'every container says what it needs, and has a limit of memory': (manifests) =>
    broken(workloads(manifests), ({ container: { resources } }) => resources?.requests?.cpu && resources.requests.memory && resources.limits?.memory, 'no resources'),
  'nobody has a token who does not need one, and everybody an account of their own': (manifests) => [
    ...broken(workloads(manifests).filter(({ name }) => !speakers.includes(name)), ({ pod }) => pod.automountServiceAccountToken === false, 'mounts a token'),
    ...broken(workloads(manifests), ({ pod }) => ofKind(manifests, 'ServiceAccount').some(({ metadata }) => metadata.name === pod.serviceAccountName), 'no account'),
  ],
  'every app is probed where it answers': (manifests) => apps(manifests).flatMap((one) => {
    const port = Number(envOf(one.container)['INTERNAL_PORT']);
    const internal = one.container.ports.find(({ name }: Manifest) => name === 'internal')?.containerPort;
    const wanted = { startupProbe: '/livez', readinessProbe: '/readyz', livenessProbe: '/livez' };
    return [
      ...(internal === port && envOf(one.container)['INTERNAL_HOST'] === '0.0.0.0' ? [] : [`${one.name}: the probes' port is not the one that it listens on`]),
      ...Object.entries(wanted).filter(([probe, path]) => one.container[probe]?.httpGet?.path !== path || one.container[probe].httpGet.port !== 'internal').map(([probe]) => `${one.name}: ${probe}`),
    ];
  }),
  'every server is probed': (manifests) => broken(servers(manifests), ({ container }) => container.startupProbe && container.readinessProbe && container.livenessProbe, 'not probed'),
  'every app leaves in order, and is replaced before it goes': (manifests) => apps(manifests).flatMap((one) => {
    const { container, pod, manifest, labels } = one;
    const pause = container.lifecycle?.preStop?.sleep?.seconds ?? 0;
    return [
      ...(pause > 0 && pod.terminationGracePeriodSeconds > pause + drainSeconds ? [] : [`${one.name}: not enough time to leave`]),
      ...(manifest.spec.strategy?.rollingUpdate?.maxUnavailable === 0 ? [] : [`${one.name}: an update takes instances away`]),
      ...(pod.topologySpreadConstraints?.some(({ labelSelector }: Manifest) => selects(labelSelector, labels)) ? [] : [`${one.name}: not spread`]),
    ];
  }),
  'every server has a disruption budget, and every budget somebody': (manifests) => {
    const budgets = ofKind(manifests, 'PodDisruptionBudget');
    const clusters = ofKind(manifests, 'RabbitmqCluster').map(({ metadata }) => ({ 'app.kubernetes.io/name': metadata.name }));
    const pods = [...servers(manifests).map(({ labels }) => labels), ...clusters];
    return [
      ...broken(servers(manifests), ({ labels }) => budgets.filter(({ spec }) => selects(spec.selector, labels)).length === 1, 'not exactly one budget'),
      ...budgets.filter(({ spec }) => !pods.some((labels) => selects(spec.selector, labels))).map((one) => `${nameOf(one)}: selects nobody`),
      ...budgets.filter(({ spec }) => spec.unhealthyPodEvictionPolicy !== 'AlwaysAllow').map((one) => `${nameOf(one)}: a pod that is not ready keeps a node`),
    ];
  },
  'every service leads to a port of somebody': (manifests) => ofKind(manifests, 'Service').flatMap((service) => {
    const targets = servers(manifests).filter(({ labels }) => selects({ matchLabels: service.spec.selector }, labels));
    if (targets.length !== 1) return [`${nameOf(service)}: leads to ${targets.length} workloads`];
    return service.spec.ports.filter(({ targetPort }: Manifest) => !targets[0]!.container.ports.some(({ name }: Manifest) => name === targetPort)).map(({ name }: Manifest) => `${nameOf(service)}: ${name}`);
  }),
  'nothing goes in or out that nobody allowed': (manifests) => {
    const stranger = { 'app.kubernetes.io/name': 'stranger' };
    const closed = !mayReach(manifests, stranger, { address: '203.0.113.1' }, 443) && !mayBeReached(manifests, stranger, { labels: stranger }, 9464);
    const open = workloads(manifests).flatMap(({ name, labels }) => (mayReach(manifests, stranger, { labels }, 6379) || mayBeReached(manifests, labels, { labels: stranger }, 9464) ? [`${name}: open to strangers`] : []));
    return [...(closed ? [] : ['no default deny']), ...open];
  },
  'everybody reaches whom their environment names': (manifests) => workloads(manifests).flatMap((one) => needs(one, manifests).filter(({ to, port, protocol }) => !mayReach(manifests, one.labels, to, port, protocol)).map(({ what }) => `${one.name} cannot reach ${what}`)),
  'whoever has to come in comes in': (manifests) => apps(manifests).flatMap(({ name, app, labels }) => [
    ...(app === 'sandbox-payment' || mayBeReached(manifests, labels, { namespace: 'monitoring' }, 9464) ? [] : [`${name}: not scraped`]),
    ...(app !== 'gateway' || mayBeReached(manifests, labels, { namespace: 'envoy-gateway-system' }, 8080) ? [] : [`${name}: the edge stays outside`]),
    ...(app === 'gateway' || !mayBeReached(manifests, labels, { namespace: 'envoy-gateway-system' }, 8080) ? [] : [`${name}: the edge comes in`]),
  ]).concat(ofKind(manifests, 'ScaledObject').length === 0 || mayBeReached(manifests, { 'app.kubernetes.io/name': 'rabbitmq' }, { namespace: 'keda' }, 15672) ? [] : ['keda cannot ask the broker']),
  'every environment is what its reader wants, no more and no less': (manifests) => workloads(manifests)
    .filter(({ container }) => /floodgate\//.test(container.image))
    .flatMap(({ name, container }) => {
      const reader = container.args?.[0] === 'migrate' ? 'migrate' : /floodgate\/([a-z-]+)/.exec(container.image)![1]!;
      return environmentFaults(reader, envOf(container)).map((fault) => `${name}: ${fault}`);
    }),
  'every secret comes from a reference that gives it': (manifests) => [
    ...ofKind(manifests, 'Secret').map((one) => `${nameOf(one)}: a secret in the repository`),
    ...workloads(manifests).flatMap(({ name, container, pod }) => (container.env ?? []).flatMap(({ name: key, value }: Manifest) => {
      if (!isSecretFile(key, value)) return /_(?:SECRET|KEYS?|PASSWORD)$|^(?:AMQP|DATABASE|REDIS)_URL$/.test(key) ? [`${name}: ${key} is no file`] : [];
      return value === `/run/secrets/floodgate/${variableOf(key, value)}` && gives(manifests, pod, variableOf(key, value)) ? [] : [`${name}: nobody gives ${key}`];
    })),
  ],
  'every queue that is named exists': (manifests) => ofKind(manifests, 'ScaledObject').flatMap((one) => one.spec.triggers.flatMap(({ metadata }: Manifest) => {
    const app = apps(manifests).find((candidate) => candidate.app === one.spec.scaleTargetRef.name);
    const namespace = envOf(app?.container ?? {})['NAMESPACE'];
    const known = Object.keys(queues).filter((queue) => queue.startsWith(`${app?.app}.`)).map((queue) => `${namespace}.${queue}`);
    return known.includes(metadata.queueName) ? [] : [`${nameOf(one)}: ${metadata.queueName}`];
  })),
  'every autoscaler has a target, which leaves the count to it': (manifests) => ofKind(manifests, 'HorizontalPodAutoscaler', 'ScaledObject').flatMap((one) => {
    const target = apps(manifests).find(({ app }) => app === one.spec.scaleTargetRef.name);
    return !target ? [`${nameOf(one)}: no target`] : target.manifest.spec.replicas === undefined ? [] : [`${nameOf(one)}: ${target.name} sets replicas itself`];
  }),
  'every schema is migrated by a job before its app': (manifests) => apps(manifests).filter(({ container }) => envOf(container)['DATABASE_URL_FILE']).flatMap(({ app, container }) => {
    const job = ofKind(manifests, 'Job').find(({ metadata }) => metadata.name === `migrate-${app}`)?.spec.template.spec.containers[0];
    return job?.image === container.image && job?.args?.[0] === 'migrate' ? [] : [`${app}: no migration of the same image`];
  }),
  'Redis forgets nothing by itself': (manifests) => ofKind(manifests, 'ConfigMap').filter(({ metadata }) => metadata.name.startsWith('redis-config')).flatMap(({ data }) =>
    ['maxmemory-policy noeviction', 'appendonly yes'].filter((line) => !data['redis.conf'].split('\n').includes(line))),
};

/** Does only a production has to obey. */
export const productionPolicies: Record<string, Policy> = {
  'Postgres is saved every day, and its log all the time': (manifests) => {
    const cluster = named(manifests, 'Cluster/postgres');
    return [
      ...(cluster.spec.backup?.barmanObjectStore?.destinationPath ? [] : ['no archive']),
      ...(ofKind(manifests, 'ScheduledBackup').some(({ spec }) => spec.cluster.name === 'postgres' && spec.schedule.split(' ').length === 6) ? [] : ['no backup']),
      ...(cluster.spec.instances >= 3 && cluster.spec.postgresql.synchronous?.number >= 1 ? [] : ['a commit is on one machine']),
    ];
  },
  'nobody is anybody': (manifests) => apps(manifests).flatMap(({ name, app, container }) => [
    ...(envOf(container)['NODE_ENV'] === 'production' ? [] : [`${name}: not in production`]),
    ...(app === 'sandbox-payment' ? ['money of the sandbox'] : []),
  ]),
};

interface Need {
  what: string;
  to: End;
  port: number;
  protocol?: string;
}

/** Where a workload's environment says that it has to go. */
function needs({ container }: Workload, manifests: Manifest[]): Need[] {
  const env = envOf(container);
  const pods = (name: string): End => ({ labels: { 'app.kubernetes.io/name': name } });
  const list: [string, Need][] = [
    ['AMQP_URL_FILE', { what: 'RabbitMQ', to: pods('rabbitmq'), port: 5672 }],
    ['DATABASE_URL_FILE', { what: 'Postgres', to: { labels: { 'cnpg.io/cluster': 'postgres' } }, port: 5432 }],
    ['REDIS_URL_FILE', { what: 'Redis', to: pods('redis'), port: 6379 }],
    ['SANDBOX_URL', { what: 'the sandbox', to: pods('sandbox-payment'), port: 8080 }],
    ['STRIPE_SECRET_KEY_FILE', { what: 'Stripe', to: { address: '203.0.113.7' }, port: 443 }],
    ['GATEWAY_URL', { what: 'the gateway', to: pods('gateway'), port: 8080 }],
    ['NODE_EXTRA_CA_CERTS', { what: 'the API server', to: { address: '10.0.0.1' }, port: 443 }],
  ];
  const callbacks = env['BOOK_FILE'] && ofKind(manifests, 'Deployment').some(({ metadata }) => metadata.name === 'gateway') ? [{ what: 'the callbacks', to: pods('gateway'), port: 8080 }] : [];
  const names: Need[] = [{ what: 'names', to: { namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } }, port: 53, protocol: 'UDP' }];
  return [...names, ...callbacks, ...list.filter(([key]) => env[key]).map(([, need]) => need)];
}

/** Whether a secret volume of the pod has this file: by name, or as a key of a Secret that is fetched from outside or made by hand (dev). */
function gives(manifests: Manifest[], pod: Manifest, key: string): boolean {
  const sources = (pod.volumes ?? []).flatMap(({ projected, secret }: Manifest) => (projected ? projected.sources.map((source: Manifest) => source.secret) : secret ? [{ name: secret.secretName }] : []));
  const fetched = ofKind(manifests, 'ExternalSecret');
  return sources.some(({ name, items }: Manifest) => {
    if (items) return items.some(({ path }: Manifest) => path === key);
    const external = fetched.find(({ spec }) => spec.target.name === name);
    return external ? external.spec.data.some(({ secretKey }: Manifest) => secretKey === key) : fetched.length === 0;
  });
}
