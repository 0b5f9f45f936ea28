import type { Dashboard, Panel } from './dashboards.js';

const datasource = { type: 'prometheus', uid: '${datasource}' };
const [columns, width, height] = [2, 12, 8];

/** A dashboard as Grafana (11 and later) imports it: two graphs side by side, the data source chosen at the top. */
export function dashboardJson(name: string, dashboard: Dashboard): string {
  const variables = Object.entries(dashboard.variables ?? {}).map(([variable, query]) => ({
    type: 'query', name: variable, datasource, query: { query, refId: variable }, refresh: 2, includeAll: true, multi: true, current: { text: 'All', value: '$__all' }, allValue: '.*',
  }));
  return `${JSON.stringify({
    uid: `floodgate-${name}`, title: dashboard.title, tags: ['floodgate'], schemaVersion: 39, editable: false, refresh: '5s', time: { from: 'now-15m', to: 'now' },
    templating: { list: [{ type: 'datasource', name: 'datasource', label: 'Data source', query: 'prometheus' }, ...variables] },
    panels: dashboard.panels.map(panelJson),
  }, null, 2)}\n`;
}

function panelJson({ title, unit, queries, says }: Panel, at: number): object {
  return {
    id: at + 1, title, description: says, type: 'timeseries', datasource,
    gridPos: { x: (at % columns) * width, y: Math.floor(at / columns) * height, w: width, h: height },
    fieldConfig: { defaults: { unit, min: unit === 'percentunit' ? 0 : undefined, custom: { lineWidth: 1, fillOpacity: 8, showPoints: 'never' } }, overrides: [] },
    options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
    targets: Object.entries(queries).map(([legend, expr], index) => ({ refId: String.fromCodePoint(65 + index), datasource, expr, legendFormat: legend })),
  };
}
