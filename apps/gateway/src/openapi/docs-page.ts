import type { JsonSchema, OpenApiDocument } from './openapi.document.js';

interface DocumentedOperation {
  operationId: string;
  summary?: string;
  description?: string;
  tags?: string[];
  'x-roles'?: string[];
  parameters?: { $ref: string }[];
  requestBody?: { required?: boolean; content: Record<string, { schema: JsonSchema }> };
  responses: Record<string, ResponseNode | { $ref: string }>;
}
interface ResponseNode { description: string; 'x-codes'?: string[]; content?: Record<string, { schema: JsonSchema }> }

/** The document as one page that needs nothing else: no script, no other host. */
export function docsPage(document: OpenApiDocument): string {
  const { info, tags } = document;
  const all = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, node]) => ({ path, method: method.toUpperCase(), node: node as unknown as DocumentedOperation })));
  const sections = tags.map((tag) => {
    const mine = all.filter(({ node }) => node.tags?.includes(tag.name));
    return mine.length === 0 ? '' : `<h2>${escape(tag.name)}</h2><p>${escape(tag.description)}</p>${mine.map((one) => operationHtml(document, one)).join('')}`;
  });
  const schemas = Object.entries(document.components.schemas).map(([name, schema]) => `<details id="schema-${name}"><summary><b>${name}</b></summary>${schemaHtml(schema)}</details>`);
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(info.title)}</title><style>${style}</style></head>
<body><h1>${escape(info.title)} <small>${escape(info.version)}</small></h1><p>${escape(info.summary)} The same as <a href="/openapi.json">OpenAPI</a>.</p>
${sections.join('\n')}<h2>Schemas</h2>${schemas.join('\n')}</body></html>`;
}

const style = `body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
details{border:1px solid #d0d7de;border-radius:6px;margin:.4rem 0;padding:.4rem .8rem}summary{cursor:pointer}code,pre{font:13px/1.5 ui-monospace,monospace}
.method{display:inline-block;min-width:4.5rem;font-weight:700}.GET{color:#0a6}.POST{color:#06c}.PUT,.PATCH{color:#a60}.DELETE{color:#c22}
table{border-collapse:collapse;width:100%}td,th{border-top:1px solid #eaeef2;padding:.2rem .5rem;text-align:left;vertical-align:top}small{color:#57606a}`;

function operationHtml(document: OpenApiDocument, { path, method, node }: { path: string; method: string; node: DocumentedOperation }): string {
  const roles = node['x-roles']?.length ? `Needs the role ${node['x-roles'].join(' or ')}.` : 'Public.';
  const parameters = (node.parameters ?? []).map(({ $ref }) => resolve(document, $ref) as { name: string; in: string; required?: boolean; schema: JsonSchema; description?: string });
  const rows = parameters.map((parameter) => row([parameter.name, `${parameter.in}${parameter.required ? ', required' : ''}`, typeHtml(parameter.schema), escape(parameter.description ?? '')]));
  const body = Object.entries(node.requestBody?.content ?? {}).map(([type, { schema }]) => `<p>Body (${escape(type)}${node.requestBody?.required ? ', required' : ''}): ${typeHtml(schema)}</p>`);
  const responses = Object.entries(node.responses).map(([status, response]) => responseRow(status, '$ref' in response ? resolve(document, response.$ref) as ResponseNode : response));
  return `<details id="${node.operationId}"><summary><span class="method ${method}">${method}</span> <code>${escape(path)}</code> — ${escape(node.summary ?? '')}</summary>
<p>${escape(node.description ?? '')} <small>${escape(roles)}</small></p>${rows.length ? `<table>${rows.join('')}</table>` : ''}${body.join('')}<table>${responses.join('')}</table></details>`;
}

function responseRow(status: string, response: ResponseNode): string {
  const [content] = Object.values(response.content ?? {});
  const codes = response['x-codes']?.map((code) => `<code>${escape(code)}</code>`).join(' ') ?? '';
  return row([status, codes || (content ? typeHtml(content.schema) : ''), escape(response.description)]);
}

function schemaHtml(schema: JsonSchema): string {
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>);
  const required = new Set(schema['required'] as string[] | undefined);
  const description = typeof schema['description'] === 'string' ? `<p>${escape(schema['description'])}</p>` : '';
  if (properties.length === 0) return `${description}<p>${typeHtml(schema)}</p>`;
  return `${description}<table>${properties.map(([name, member]) =>
    row([`${name}${required.has(name) ? '' : '?'}`, typeHtml(member), escape(typeof member['description'] === 'string' ? member['description'] : '')])).join('')}</table>`;
}

/** A schema in a few words, with links to the named ones. */
function typeHtml(schema: JsonSchema): string {
  const ref = schema['$ref'];
  if (typeof ref === 'string') {
    const name = ref.split('/').at(-1) ?? '';
    return `<a href="#schema-${name}">${name}</a>`;
  }
  for (const [keyword, word] of [['oneOf', ' or '], ['anyOf', ' or '], ['allOf', ' and ']] as const) {
    if (Array.isArray(schema[keyword])) return (schema[keyword] as JsonSchema[]).map(typeHtml).join(word);
  }
  if (Array.isArray(schema['enum'])) return schema['enum'].map((value) => `<code>${escape(String(value))}</code>`).join(' ');
  if ('const' in schema) return `<code>${escape(String(schema['const']))}</code>`;
  if (schema['type'] === 'array') return `list of ${typeHtml((schema['items'] ?? {}) as JsonSchema)}`;
  const limits = ['minimum', 'maximum', 'minLength', 'maxLength', 'pattern', 'format'].filter((name) => name in schema).map((name) => `${name} ${String(schema[name])}`);
  const types = Array.isArray(schema['type']) ? schema['type'].join(' or ') : typeof schema['type'] === 'string' ? schema['type'] : 'anything';
  return escape([types, ...limits].join(', '));
}

function resolve(document: OpenApiDocument, ref: string): unknown {
  const [kind = '', name = ''] = ref.slice('#/components/'.length).split('/');
  return document.components[kind]?.[name];
}

const row = (cells: readonly string[]): string => `<tr>${cells.map((cell, index) => (index === 0 ? `<th><code>${cell}</code></th>` : `<td>${cell}</td>`)).join('')}</tr>`;
const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
