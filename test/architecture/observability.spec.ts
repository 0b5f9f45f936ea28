import { describe, expect, it } from '@jest/globals';
import path from 'node:path';
import { parse } from 'yaml';
import { metricsOf, syntaxFault, withoutVariables, type Rule, type RuleFile } from '../support/promql.js';
import { files } from './source.js';

const rules: Rule[] = files('deploy/prometheus/rules/*.yaml').flatMap(({ text }) => (parse(text) as RuleFile).groups.flatMap((group) => group.rules));
const alerts = rules.filter((rule): rule is Rule & { alert: string } => rule.alert !== undefined);
const recorded = new Set(rules.flatMap(({ record }) => record ?? []));
/** What promtool tries: an alert fires in a case that expects it, and is quiet in one that has the series and expects nothing. */
const cases = files('deploy/prometheus/tests/*.yaml').flatMap(({ text }) => (parse(text) as CaseFile).tests.flatMap(({ input_series: series, alert_rule_test: tests }) => tests.map((one) => ({ ...one, series: series.map((each) => each.series) }))));
const boards = files('deploy/grafana/dashboards/*.json').map((file) => ({ name: path.basename(file.path), board: JSON.parse(file.text) as Board }));
const runbooks = files('docs/runbooks/*.md').filter(({ path: name }) => !name.endsWith('/README.md'));
/** What the services expose; the test against a running platform says when one of these is gone. */
const exposed = new Set(JSON.parse(files('test/support/exposed-metrics.json')[0]!.text) as string[]);

interface CaseFile {
  tests: { input_series: { series: string }[]; alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[];
}

interface Board {
  uid: string;
  templating: { list: { type: string; name: string }[] };
  panels: { id: number; title: string; datasource: { uid: string }; targets: { expr: string; datasource: { uid: string } }[] }[];
}

const kebab = (name: string): string => name.replaceAll(/(?<!^)([A-Z])/g, '-$1').toLowerCase();
const unknown = (query: string): string[] => metricsOf(query).filter((name) => !exposed.has(name) && !recorded.has(name));
const boardQueries = boards.flatMap(({ name, board }) => board.panels.flatMap((panel) => panel.targets.map(({ expr }) => [`${name}: ${panel.title}`, withoutVariables(expr)] as const)));
const queries = [...rules.map((rule) => [rule.alert ?? rule.record!, rule.expr] as const), ...boardQueries];

describe.each(queries)('%s', (_where, query) => {
  it('is PromQL, and asks for what is exposed', () => {
    expect(syntaxFault(query)).toBeNull();
    expect(metricsOf(query).length).toBeGreaterThan(0);
    expect(unknown(query)).toEqual([]);
  });
});

describe.each(alerts.map((rule) => [rule.alert, rule] as const))('alert %s', (name, rule) => {
  it('says how urgent it is, what is wrong, and where its page is', () => {
    expect(['page', 'warn', 'ticket']).toContain(rule.labels?.['severity']);
    expect(rule.annotations?.['summary']).toMatch(/\S/);
    expect(rule.annotations?.['runbook']).toBe(`docs/runbooks/${kebab(name)}.md`);
  });

  it('has a case in which it fires, and one that only looks like it', () => {
    const own = cases.filter(({ alertname }) => alertname === name);
    expect({ fires: own.some(({ exp_alerts: expected }) => expected.length > 0), quiet: own.some(({ exp_alerts: expected }) => expected.length === 0) }).toEqual({ fires: true, quiet: true });
    expect(own.filter(({ series }) => series.length === 0)).toEqual([]);
  });
});

it('every alert has its page, every page its alert, and no name comes twice', () => {
  expect(runbooks.map((page) => page.path)).toEqual(alerts.map(({ alert }) => `docs/runbooks/${kebab(alert)}.md`).sort());
});

it('every case is of an alert, with series that are exposed', () => {
  expect(cases.map(({ alertname }) => alertname).filter((name) => !alerts.some(({ alert }) => alert === name))).toEqual([]);
  expect(cases.flatMap(({ series }) => series.map((one) => one.split('{')[0]!)).filter((name) => name !== 'up' && !exposed.has(name))).toEqual([]);
});

describe.each(runbooks.map((page) => [path.basename(page.path), page.text] as const))('page %s', (_name, text) => {
  it('says what it means, what to look at, which commands with their output, and what mends it', () => {
    for (const part of ['## What it means', '## What to look at', '## Commands', '```sh', '## What mends it']) expect(text).toContain(part);
  });

  it('names metrics and paths that exist', () => {
    const named = [...text.matchAll(/^(floodgate_\w+|nodejs_\w+)\{/gm)].map((match) => match[1]!);
    expect(named.filter((name) => !exposed.has(name))).toEqual([]);
    const paths = [...text.matchAll(/(?:\$GATEWAY|(?:POST|GET|PUT|DELETE) )(\/v1\/[^\s?"'`]+)/g)].map((match) => match[1]!.replace(/\/(SALE_ID|ID)(?=\/|$)/g, '/{}'));
    expect(paths.filter((one) => !served.has(one))).toEqual([]);
  });
});

/** The paths of the public interface, whatever their parameters are called. */
const served = new Set(Object.keys((parse(files('apps/gateway/src/openapi/openapi.yaml')[0]!.text) as { paths: object }).paths).map((one) => one.replaceAll(/\{\w+\}/g, '{}')));

describe.each(boards.map(({ name, board }) => [name, board] as const))('dashboard %s', (name, board) => {
  it('can be imported beside the others, on any data source', () => {
    expect(board.uid).toBe(`floodgate-${path.basename(name, '.json')}`);
    expect(new Set(board.panels.map(({ id }) => id)).size).toBe(board.panels.length);
    expect(board.templating.list[0]).toMatchObject({ type: 'datasource', name: 'datasource' });
    for (const { datasource, targets } of board.panels) for (const one of [datasource, ...targets.map((target) => target.datasource)]) expect(one.uid).toBe('${datasource}');
  });

  it('asks only for variables that it has', () => {
    const known = new Set(['datasource', ...board.templating.list.map((variable) => variable.name)]);
    expect(board.panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => [...expr.matchAll(/\$(\w+)/g)].map((match) => match[1]!))).filter((one) => !known.has(one))).toEqual([]);
  });
});

describe('these rules can fail', () => {
  it('on what is not PromQL', () => expect(syntaxFault('sum(rate(floodgate_attempts_total[1m])')).toMatch(/not PromQL/));
  it('on a metric that nobody exposes', () => expect(unknown('max(floodgate_redis_up) + sum(floodgate_gone_total{code="x"} offset 5m)')).toEqual(['floodgate_gone_total']));
});
