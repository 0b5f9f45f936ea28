import { readFileSync } from 'node:fs';
import path from 'node:path';
import { queues } from '@floodgate/contracts';
import { parse } from 'yaml';
import { connections } from './connections.js';
import { environmentFaults, isSecretFile, variableOf } from './environment.js';
import { apps, envOf, nameOf, named, ofKind, root, selects, servers, workloads, type Manifest, type Workload } from './manifests.js';
import { admits, mayReach } from './network.js';

/** A rule over all manifests of an overlay. @returns what breaks it, in words */
export type Policy = (manifests: Manifest[]) => string[];

/** Seconds that a service takes to drain at most, before it gives up by itself. */
const drainSeconds = 10;
/** The only pod that speaks to the API server. */
const speakers = ['CronJob/pre-scale'];
/** A pool of 10, typeorm's 2, and one for the lock of its migrations at the start. */
const connectionsOfInstance = 13;
/** Replication, the operator, metrics, the server's own reserve, somebody with psql. */
const connectionsOfOthers = 20;
const edge = { namespace: 'envoy-gateway-system' };
const madeByOperators = ['rabbitmq-default-user', 'postgres-app'];

/** The paths of the public interface, with their parameters as they stand there. */
const publicPaths = Object.keys((parse(readFileSync(path.join(root, 'apps/gateway/src/openapi/openapi.yaml'), 'utf8')) as { paths: object }).paths);
/** What no buyer and no payment provider has to reach: operators, a developer's login, the probes. */
const isInternal = (name: string): boolean => /^\/(?:v1\/(?:admin|dev)\/|livez$|readyz$)/.test(name);
const broken = (list: Workload[], holds: (one: Workload) => unknown, fault: string): string[] => list.filter((one) => !holds(one)).map(({ name }) => `${name}: ${fault}`);

export const policies: Record<string, Policy> = {
  'every pod is restricted': (manifests) => [
    ...broken(workloads(manifests), ({ pod: { securityContext } }) => securityContext?.runAsNonRoot === true && securityContext.runAsUser > 0 && securityContext.seccompProfile?.type === 'RuntimeDefault', 'pod not restricted'),
    ...broken(workloads(manifests), ({ pod }) => [...pod.containers, ...(pod.initContainers ?? [])].every(({ securityContext }: Manifest) =>
      securityContext?.allowPrivilegeEscalation === false && securityContext.readOnlyRootFilesystem === true && securityContext.capabilities?.drop?.includes('ALL')), 'container not restricted'),
    ...ofKind(manifests, 'RabbitmqCluster').filter(({ spec }) => {
      const pod = spec.override?.statefulSet.spec.template.spec;
      const restricted = ({ securityContext: context }: Manifest): boolean => context?.allowPrivilegeEscalation === false && context.runAsNonRoot === true && context.capabilities?.drop?.includes('ALL');
      return !(pod?.securityContext?.seccompProfile?.type === 'RuntimeDefault' && ['setup-container', 'rabbitmq'].every((name) => [...pod.initContainers, ...pod.containers].some((one: Manifest) => one.name === name && restricted(one))));
    }).map((one) => `${nameOf(one)}: not restricted`),
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
      ...clusters.filter((labels) => !budgets.some(({ spec }) => selects(spec.selector, labels))).map((labels) => `${JSON.stringify(labels)}: no budget`),
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
    const stranger = { labels: { 'app.kubernetes.io/name': 'stranger' } };
    const elsewhere = { namespace: 'somewhere' };
    const closed = !mayReach(manifests, stranger, { address: '203.0.113.1' }, 443) && !admits(manifests, stranger.labels, elsewhere, 9464);
    const targets = [...workloads(manifests).map(({ labels }) => labels), { 'app.kubernetes.io/name': 'rabbitmq' }, { 'cnpg.io/cluster': 'postgres' }];
    const open = targets.filter((labels) => [5432, 5672, 6379, 8080, 9464, 15672].some((port) => [stranger, elsewhere].some((from) => admits(manifests, labels, from, port))));
    return [...(closed ? [] : ['no default deny']), ...open.map((labels) => `${JSON.stringify(labels)}: open to strangers`)];
  },
  'only the edge and whoever watches come in from outside': (manifests) => apps(manifests).flatMap(({ name, app, labels }) => [
    ...(app === 'gateway' || !admits(manifests, labels, edge, 8080) ? [] : [`${name}: the edge comes in`]),
    ...(admits(manifests, labels, edge, 9464) ? [`${name}: the edge reads metrics`] : []),
  ]),
  'everybody reaches whom they need': (manifests) => connections(manifests).filter(({ from, to, port, protocol }) => !mayReach(manifests, from, to, port, protocol)).map(({ what }) => `not so: ${what}`),
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
  'every queue that is named exists, on a broker that KEDA finds from its own namespace': (manifests) => ofKind(manifests, 'ScaledObject').flatMap((one) => one.spec.triggers.flatMap(({ metadata }: Manifest) => {
    const app = apps(manifests).find((candidate) => candidate.app === one.spec.scaleTargetRef.name);
    const namespace = envOf(app?.container ?? {})['NAMESPACE'];
    const known = Object.keys(queues).filter((queue) => queue.startsWith(`${app?.app}.`)).map((queue) => `${namespace}.${queue}`);
    return [
      ...(known.includes(metadata.queueName) ? [] : [`${nameOf(one)}: ${metadata.queueName}`]),
      ...(metadata.host === `http://rabbitmq.${one.metadata.namespace}.svc:15672/` ? [] : [`${nameOf(one)}: ${metadata.host}`]),
    ];
  })),
  'every autoscaler has a target, which leaves the count to it': (manifests) => ofKind(manifests, 'HorizontalPodAutoscaler', 'ScaledObject').flatMap((one) => {
    const target = apps(manifests).find(({ app }) => app === one.spec.scaleTargetRef.name);
    return !target ? [`${nameOf(one)}: no target`] : target.manifest.spec.replicas === undefined ? [] : [`${nameOf(one)}: ${target.name} sets replicas itself`];
  }),
  'every schema is migrated by a job before its app': (manifests) => apps(manifests).filter(({ container }) => envOf(container)['DATABASE_URL_FILE']).flatMap(({ app, container }) => {
    const job = ofKind(manifests, 'Job').find(({ metadata }) => metadata.name === `migrate-${app}`)?.spec.template.spec.containers[0];
    return job?.image === container.image && job?.args?.[0] === 'migrate' ? [] : [`${app}: no migration of the same image`];
  }),
  'Redis forgets nothing by itself': (manifests) => {
    const { volumes } = named(manifests, 'StatefulSet/redis').spec.template.spec;
    const mounted = volumes.find(({ configMap }: Manifest) => configMap)?.configMap.name;
    const lines: string[] = ofKind(manifests, 'ConfigMap').find(({ metadata }) => metadata.name === mounted)?.data['redis.conf'].split('\n') ?? [];
    return ['maxmemory-policy noeviction', 'appendonly yes', 'include /run/secrets/redis/auth.conf'].filter((line) => !lines.includes(line));
  },
  'every address leads to a service that is there': (manifests) => workloads(manifests).flatMap(({ name, container }) => Object.entries(envOf(container)).filter(([, value]) => /^http:/.test(value)).flatMap(([key, value]) => {
    const { hostname, port } = new URL(value);
    const service = ofKind(manifests, 'Service').find(({ metadata }) => metadata.name === hostname);
    return service?.spec.ports.some((one: Manifest) => one.port === Number(port || 80)) ? [] : [`${name}: ${key} leads nowhere`];
  })),
};

/** What only a production has to obey. */
export const productionPolicies: Record<string, Policy> = {
  'Postgres is saved every day, and its log all the time': (manifests) => {
    const cluster = named(manifests, 'Cluster/postgres');
    return [
      ...(cluster.spec.backup?.barmanObjectStore?.destinationPath ? [] : ['no archive']),
      ...(ofKind(manifests, 'ScheduledBackup').some(({ spec }) => spec.cluster.name === 'postgres' && spec.schedule.split(' ').length === 6) ? [] : ['no backup']),
      ...(cluster.spec.instances >= 3 && cluster.spec.postgresql.synchronous?.number >= 1 ? [] : ['a commit is on one machine']),
    ];
  },
  'the edge leads buyers to everything that is theirs, and to nothing of the operators': (manifests) => {
    const backTo = (rule: Manifest): boolean => rule.backendRefs?.length === 1 && ofKind(manifests, 'Service').some(({ metadata, spec }) => metadata.name === rule.backendRefs[0].name && spec.ports.some(({ port }: Manifest) => port === rule.backendRefs[0].port));
    const leads = (route: Manifest, path: string): boolean => route.spec.rules.some((rule: Manifest) => backTo(rule) && rule.matches.some((one: Manifest) => (one.path.type === 'Exact' ? path === one.path.value : path === one.path.value || path.startsWith(`${one.path.value}/`))));
    const [shop, operators] = [named(manifests, 'HTTPRoute/gateway'), named(manifests, 'HTTPRoute/operators')];
    const guarded = ofKind(manifests, 'SecurityPolicy').some(({ spec }) => spec.authorization?.defaultAction === 'Deny' && spec.targetRefs.some(({ kind, name }: Manifest) => kind === 'HTTPRoute' && name === 'operators'));
    const limited = ofKind(manifests, 'BackendTrafficPolicy').some(({ spec }) => spec.rateLimit && spec.targetRefs.some(({ name }: Manifest) => name === 'gateway'));
    return [
      ...publicPaths.filter((path) => leads(shop, path) === isInternal(path)).map((path) => `the shop: ${path}`),
      ...publicPaths.filter((path) => path.startsWith('/v1/admin') && !leads(operators, path)).map((path) => `the operators: ${path}`),
      ...(guarded ? [] : ['anybody reaches the operators']), ...(limited ? [] : ['no limit at the edge']),
      ...(shop.spec.hostnames[0] === operators.spec.hostnames[0] ? ['one name for both'] : []),
    ];
  },
  'whoever sells goes last': (manifests) => {
    const [priority] = ofKind(manifests, 'PriorityClass');
    return ['Deployment/gateway', 'Deployment/seckill', 'Deployment/order', 'StatefulSet/redis'].filter((name) => named(manifests, name).spec.template.spec.priorityClassName !== priority?.metadata.name);
  },
  'Postgres has a connection for everybody who may want one': (manifests) => {
    const most = (one: Workload): number => ofKind(manifests, 'ScaledObject', 'HorizontalPodAutoscaler').find(({ spec }) => spec.scaleTargetRef.name === one.manifest.metadata.name)?.spec.maxReplicaCount ?? one.manifest.spec.replicas ?? Infinity;
    const wanted = apps(manifests).filter(({ container }) => envOf(container)['DATABASE_URL_FILE']).reduce((sum, one) => sum + (most(one) + one.manifest.spec.strategy.rollingUpdate.maxSurge) * connectionsOfInstance, 0);
    const given = Number(named(manifests, 'Cluster/postgres').spec.postgresql.parameters.max_connections) - connectionsOfOthers;
    return wanted <= given ? [] : [`${wanted} are wanted, ${given} given`];
  },
  'nobody is anybody': (manifests) => apps(manifests).flatMap(({ name, app, container }) => [
    ...(envOf(container)['NODE_ENV'] === 'production' ? [] : [`${name}: not in production`]),
    ...(app === 'sandbox-payment' ? ['money of the sandbox'] : []),
  ]),
};

/** Whether a secret volume of the pod has this file: by name, or as a key of a Secret that is fetched from outside or made by hand (dev). */
function gives(manifests: Manifest[], pod: Manifest, key: string): boolean {
  const sources = (pod.volumes ?? []).flatMap(({ projected, secret }: Manifest) => (projected ? projected.sources.map((source: Manifest) => source.secret) : secret ? [{ name: secret.secretName }] : []));
  const fetched = ofKind(manifests, 'ExternalSecret');
  const has = (name: string, wanted: string): boolean => {
    const external = fetched.find(({ spec }) => spec.target.name === name);
    if (!external) return madeByOperators.includes(name) || fetched.length === 0;
    const { data, target } = external.spec;
    return target.template ? wanted in target.template.data : data.some(({ secretKey }: Manifest) => secretKey === wanted);
  };
  return sources.some(({ name, items }: Manifest) => {
    const file = items ? items.find(({ path }: Manifest) => path === key)?.key : key;
    return file !== undefined && has(name, file);
  });
}
