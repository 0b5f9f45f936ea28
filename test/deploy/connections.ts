import { apps, envOf, ofKind, workloads, type Manifest, type Workload } from './manifests.js';
import type { End } from './network.js';

/** Somebody who has to reach somebody. */
export interface Connection {
  what: string;
  from: End;
  to: End;
  port: number;
  protocol?: string;
}

const pods = (name: string): End => ({ labels: { 'app.kubernetes.io/name': name } });
const postgres: End = { labels: { 'cnpg.io/cluster': 'postgres' } };
const rabbitmq = pods('rabbitmq');
/** The API server has no label, and is seen by its service's port or by its own, as the network plugin has it. */
const apiServer = (what: string, from: End): Connection[] => [443, 6443].map((port) => ({ what: `${what} reaches the API server on ${port}`, from, to: { address: '10.0.0.1' }, port }));
const names = (what: string, from: End): Connection[] => ['UDP', 'TCP'].map((protocol) => ({ what: `${what} resolves names by ${protocol}`, from, to: { namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } }, port: 53, protocol }));

/** What a variable says about where its reader goes. */
const byVariable: Record<string, [what: string, to: End, port: number]> = {
  AMQP_URL_FILE: ['RabbitMQ', rabbitmq, 5672],
  DATABASE_URL_FILE: ['Postgres', postgres, 5432],
  REDIS_URL_FILE: ['Redis', pods('redis'), 6379],
  SANDBOX_URL: ['the sandbox', pods('sandbox-payment'), 8080],
  STRIPE_SECRET_KEY_FILE: ['Stripe', { address: '203.0.113.7' }, 443],
  GATEWAY_URL: ['the gateway', pods('gateway'), 8080],
  BOOK_FILE: ['the gateway with its callbacks', pods('gateway'), 8080],
};

/** Where a workload has to go by its environment. */
function ofWorkload({ name, container, labels }: Workload): Connection[] {
  const env = envOf(container);
  const from = { labels };
  return [
    ...names(name, from),
    ...Object.entries(byVariable).filter(([key]) => env[key]).map(([, [what, to, port]]) => ({ what: `${name} reaches ${what}`, from, to, port })),
    ...(env['NODE_EXTRA_CA_CERTS'] ? apiServer(name, from) : []),
  ];
}

/** Who scrapes, who comes in from the edge, and what the operators' clusters need among themselves. */
function ofServers(manifests: Manifest[]): Connection[] {
  const scraped = apps(manifests).filter(({ app }) => app !== 'sandbox-payment');
  const ask = (from: string, to: End, what: string, port: number): Connection => ({ what, from: { namespace: from }, to, port });
  return [
    ...scraped.map(({ app, labels }) => ask('monitoring', { labels }, `Prometheus scrapes ${app}`, 9464)),
    ask('monitoring', pods('notification'), 'Alertmanager posts alerts to notification', 9464),
    ...[443, 465, 587].map((port) => ({ what: `notification reaches robots and mail servers on ${port}`, from: pods('notification'), to: { address: '203.0.113.7' }, port })),
    ask('envoy-gateway-system', pods('gateway'), 'the edge reaches the gateway', 8080),
    ...names('RabbitMQ', rabbitmq), ...names('Postgres', postgres),
    ...[4369, 25672].map((port) => ({ what: `a broker reaches the others on ${port}`, from: rabbitmq, to: rabbitmq, port })),
    ...apiServer('RabbitMQ', rabbitmq),
    ask('rabbitmq-system', rabbitmq, 'the operator reaches RabbitMQ', 15672),
    ask('monitoring', rabbitmq, 'Prometheus scrapes RabbitMQ', 15692),
    ...(ofKind(manifests, 'ScaledObject').length > 0 ? [ask('keda', rabbitmq, 'KEDA asks RabbitMQ', 15672)] : []),
    ...[5432, 8000].map((port) => ({ what: `a Postgres reaches the others on ${port}`, from: postgres, to: postgres, port })),
    ...apiServer('Postgres', postgres),
    ask('cnpg-system', postgres, 'the operator reaches Postgres', 8000),
    ask('monitoring', postgres, 'Prometheus scrapes Postgres', 9187),
  ];
}

/** Every connection that the platform needs. */
export const connections = (manifests: Manifest[]): Connection[] => [...workloads(manifests).flatMap(ofWorkload), ...ofServers(manifests)];
