import { document, type OpenApiDocument } from './openapi.document.js';

/** The contract with only the operations that are served, and only the components that they reach. */
export function servedDocument(operationIds: ReadonlySet<string>): OpenApiDocument {
  const paths = Object.fromEntries(Object.entries(document.paths)
    .map(([path, item]) => [path, Object.fromEntries(Object.entries(item).filter(([, { operationId }]) => operationIds.has(operationId)))] as const)
    .filter(([, item]) => Object.keys(item).length > 0));
  const served = { ...document, paths };
  return { ...served, components: reachedComponents(served) };
}

function reachedComponents({ components, ...rest }: OpenApiDocument): OpenApiDocument['components'] {
  const reached = new Set<string>();
  const waiting: unknown[] = [rest];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    for (const ref of referencesIn(node)) {
      if (reached.has(ref)) continue;
      reached.add(ref);
      const [kind = '', name = ''] = ref.split('/');
      waiting.push(components[kind]?.[name] ?? {});
    }
  }
  const kept = Object.entries(components).map(([kind, members]) => [
    kind,
    kind === 'securitySchemes' ? members : Object.fromEntries(Object.entries(members).filter(([name]) => reached.has(`${kind}/${name}`))),
  ]);
  return Object.fromEntries(kept) as OpenApiDocument['components'];
}

/** `schemas/Id` for every `#/components/schemas/Id` below a node. */
const referencesIn = (node: unknown): string[] =>
  [...JSON.stringify(node).matchAll(/"\$ref":"#\/components\/([^"]+)"/g)].map(([, ref]) => ref ?? '');
