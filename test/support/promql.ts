import { parser } from '@prometheus-io/lezer-promql';

/** A rule as Prometheus's file has it: an alert, or a query computed once under a name. */
export interface Rule {
  alert?: string;
  record?: string;
  expr: string;
  for?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

export interface RuleFile {
  groups: { name: string; rules: Rule[] }[];
}

/** A query of a dashboard with Grafana's variables replaced by "any". */
export const withoutVariables = (query: string): string => query.replaceAll(/\$\w+/g, '.*');

/** Where a query is not PromQL, in words; null where it is. */
export function syntaxFault(query: string): string | null {
  let fault: string | null = null;
  parser.parse(query).iterate({ enter: (node) => {
    if (node.type.isError) fault ??= `not PromQL at ${node.from}: ${query.slice(node.from, node.from + 30)}`;
  } });
  return fault;
}

/** The metrics that a query asks for. */
export function metricsOf(query: string): string[] {
  const names: string[] = [];
  parser.parse(query).iterate({ enter: (node) => {
    const name = node.name === 'VectorSelector' ? node.node.getChild('Identifier') : null;
    if (name) names.push(query.slice(name.from, name.to));
  } });
  return names;
}
