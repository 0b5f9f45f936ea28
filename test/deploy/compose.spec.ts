import { describe, expect, it } from '@jest/globals';
import { composeRules, readComposition, type Composition } from './compose.js';

const environment = 'every environment is what its reader wants, no more and no less';
const secrets = 'every secret is drawn, mounted where it is read, and read by whoever has it';
const passwords = 'every server takes the password that the apps have';
const addresses = 'every address leads to somebody who listens there, on a network of both';
const waiting = 'nobody is waited for who does not say so, and every schema is current before its app';
const open = 'nothing is open to other machines, and what is open is listened on';
const alerts = 'rules are read, and alerts reach somebody by how urgent they are';
const scraping = 'every service is scraped where it answers, under the name that rules ask for';

type Tamper = [what: string, rule: string, change: (all: Composition) => void];
const whole = readComposition();
const names = Object.keys(whole.compose.services);
const of = (all: Composition, name: string): any => all.compose.services[name];
const variables = names.filter((name) => of(whole, name).image.startsWith('floodgate/')).flatMap((name) => Object.keys(of(whole, name).environment).map((key) => [name, key] as const));
/** These have a default, and are missed elsewhere or not at all. */
const optional = ['NODE_ENV', 'INTERNAL_HOST', 'HOST', 'DEV_LOGIN', 'PUBLIC_URL'];

/** What somebody might take away or mistype, and the rule that must say so. */
const tampers: Tamper[] = [
  ...variables.filter(([, key]) => !optional.includes(key)).map(([name, key]): Tamper => [`${name} without ${key}`, environment, (all) => { delete of(all, name).environment[key]; }]),
  ...names.filter((name) => !name.startsWith('migrate-')).map((name): Tamper => [`${name} without its health check`, 'everybody says whether it is ready', (all) => { delete of(all, name).healthcheck; }]),
  ...Object.keys(whole.compose.secrets).map((name): Tamper => [`no secret ${name}`, secrets, (all) => { delete all.compose.secrets[name]; }]),
  ...whole.prometheus.scrape_configs[0].static_configs.map(({ labels }: any, at: number): Tamper => [`${labels.service} not scraped`, scraping, (all) => { all.prometheus.scrape_configs[0].static_configs.splice(at, 1); }]),
  ...['rabbitmq', 'redis', 'postgres', 'grafana'].map((name): Tamper => [`${name} without its password`, passwords, (all) => { of(all, name).secrets = []; }]),
  ...['promotion', 'order', 'notification'].map((name): Tamper => [`${name} not migrated`, waiting, (all) => { delete of(all, name).depends_on[`migrate-${name}`]; }]),
  ...['page', 'warn', 'ticket'].map((severity, at): Tamper => [`nobody for a ${severity}`, alerts, (all) => { all.alertmanager.route.routes.splice(at, 1); }]),
  ['a mistyped key', 'is Compose', (all) => { of(all, 'order').enviroment = {}; }],
  ['a condition that there is not', 'is Compose', (all) => { of(all, 'order').depends_on.rabbitmq.condition = 'service_ready'; }],
  ['no seckill', 'every app is built, every server is of a version', (all) => { delete all.compose.services.seckill; }],
  ['another app in the image', 'every app is built, every server is of a version', (all) => { of(all, 'order').build.args.APP = 'gateway'; }],
  ['an older broker', 'every app is built, every server is of a version', (all) => { of(all, 'rabbitmq').image = 'rabbitmq:3.13.7-management'; }],
  ['whatever is latest', 'every app is built, every server is of a version', (all) => { of(all, 'grafana').image = 'grafana/grafana:latest'; }],
  ['a variable that nobody reads', environment, (all) => { of(all, 'order').environment.REDIS_URL_FILE = '/run/secrets/REDIS_URL'; }],
  ['a secret that is not mounted', secrets, (all) => { of(all, 'gateway').secrets.pop(); }],
  ['a secret that nobody reads', secrets, (all) => { of(all, 'gateway').secrets.push('CODE_KEYS'); }],
  ['a provider elsewhere', addresses, (all) => { of(all, 'order').environment.SANDBOX_URL = 'http://sandbox-payment:8080'; }],
  ['a broker on another network', addresses, (all) => { of(all, 'rabbitmq').networks = ['edge']; }],
  ['nobody to wait for', waiting, (all) => { delete of(all, 'postgres').healthcheck; }],
  ['a writable root', 'our own run with nothing that they do not need', (all) => { delete of(all, 'seckill').read_only; }],
  ['root', 'our own run with nothing that they do not need', (all) => { of(all, 'migrate-order').user = '0:0'; }],
  ['a port for everybody', open, (all) => { of(all, 'gateway').ports = ['8080:8080']; }],
  ['a port that nobody listens on', open, (all) => { of(all, 'gateway').ports = ['127.0.0.1:8080:80']; }],
  ['a network that leads outside', open, (all) => { all.compose.networks.inside = {}; }],
  ['a folder that is gone', 'every file that is mounted is there, every volume declared', (all) => { of(all, 'prometheus').volumes[0] = './metrics:/etc/prometheus:ro'; }],
  ['a volume that is gone', 'every file that is mounted is there, every volume declared', (all) => { delete all.compose.volumes.postgres; }],
  ['no time to drain', 'every app gets the time to leave in order', (all) => { delete of(all, 'order').stop_grace_period; }],
  ['a Redis that evicts', 'Redis forgets nothing by itself', (all) => { all.redis = all.redis.replace('noeviction', 'allkeys-lru'); }],
  ['a Redis without settings', 'Redis forgets nothing by itself', (all) => { delete of(all, 'redis').command; }],
  ['labels that are overwritten', scraping, (all) => { delete all.prometheus.scrape_configs[0].honor_labels; }],
  ['metrics on loopback only', scraping, (all) => { delete of(all, 'order').environment.INTERNAL_HOST; }],
  ['no rules', alerts, (all) => { delete all.prometheus.rule_files; }],
  ['no Alertmanager', alerts, (all) => { delete all.prometheus.alerting; }],
  ['a receiver that tells nobody', alerts, (all) => { delete all.alertmanager.receivers[1].webhook_configs; }],
  ['an Alertmanager without the secret', alerts, (all) => { of(all, 'alertmanager').secrets = []; }],
  ['a watchdog that is not heard', alerts, (all) => { delete all.alertmanager.route.routes[2].routes; }],
  ['a receiver that there is not', alerts, (all) => { all.alertmanager.receivers.shift(); }],
  ['no source of data', 'Grafana finds Prometheus and the dashboards', (all) => { all.datasources.datasources[0].url = 'http://localhost:9090'; }],
  ['no dashboards', 'Grafana finds Prometheus and the dashboards', (all) => { of(all, 'grafana').volumes.splice(1, 1); }],
];

describe('the platform in Compose', () => {
  it.each(Object.entries(composeRules))('%s', (_name, rule) => expect(rule(whole)).toEqual([]));
});

describe('what is taken away is missed', () => {
  it.each(tampers)('%s', (_what, rule, change) => {
    // As it was read but for shared anchors, so that a change of one is a change of one.
    const all = JSON.parse(JSON.stringify(whole)) as Composition;
    change(all);
    expect(composeRules[rule]!(all)).not.toEqual([]);
  });

  it('by every rule', () => expect([...new Set(tampers.map(([, rule]) => rule))].sort()).toEqual(Object.keys(composeRules).sort()));
});
