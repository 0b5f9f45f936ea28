import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export type JsonSchema = Record<string, unknown>;

/** One parameter of an operation; `name` of a header is in lower case. */
export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  schema: JsonSchema;
}

/** What the document says of one operation, with the references to parameters resolved. */
export interface Operation {
  id: string;
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** As the document writes it: `/v1/sales/{saleId}`. */
  path: string;
  /** As the router wants it: `/v1/sales/:saleId`. */
  url: string;
  /** The status of success; an operation with several says which in its answer. */
  status: number;
  /** Any one of them is needed; empty where `authentication` is not `required`. */
  roles: readonly string[];
  authentication: 'required' | 'optional' | 'none';
  parameters: readonly Parameter[];
  /** The schema of the JSON body, or null where the operation takes none. */
  body: { required: boolean; schema: JsonSchema } | null;
  /** Media types of the body. */
  bodyTypes: readonly string[];
  /** Longest body taken, bytes; streams have no such limit. */
  bodyBytesMax: number;
}

interface PathItem { [method: string]: OperationNode }
interface OperationNode {
  operationId: string;
  security?: Record<string, string[]>[];
  'x-roles': string[];
  parameters?: { $ref: string }[];
  requestBody?: { required: boolean; 'x-max-bytes'?: number; content: Record<string, { schema: JsonSchema }> };
  responses: Record<string, unknown>;
}
export interface OpenApiDocument {
  info: { title: string; version: string; summary: string; description: string };
  paths: Record<string, PathItem>;
  tags: { name: string; description: string }[];
  'x-outside': Record<string, string>;
  components: Record<string, Record<string, unknown>> & { schemas: Record<string, JsonSchema> };
}

/** The contract. It is the one source of paths, methods, statuses, roles, limits and schemas. */
export const document = parse(readFileSync(new URL('./openapi.yaml', import.meta.url), 'utf8')) as OpenApiDocument;

/** Bodies no operation of the document allows more for. */
export const bodyBytesDefault = 65_536;

/** Every operation of the document, served or not, by its id. */
export const operations: ReadonlyMap<string, Operation> = new Map(
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, node]) => [node.operationId, readOperation(path, method, node)] as const)),
);

/** The operation with this id. Throws where the document has none: a controller is wrong then. */
export function operationOf(id: string): Operation {
  const operation = operations.get(id);
  if (!operation) throw new Error(`the OpenAPI document has no operation ${id}`);
  return operation;
}

function readOperation(path: string, method: string, node: OperationNode): Operation {
  const json = node.requestBody?.content['application/json'];
  const roles = node['x-roles'];
  return {
    id: node.operationId,
    method: method.toUpperCase() as Operation['method'],
    path,
    url: path.replaceAll(/\{(\w+)\}/g, ':$1'),
    status: Math.min(...Object.keys(node.responses).map(Number).filter((status) => status >= 200 && status < 300)),
    roles,
    authentication: authenticationOf(node, roles),
    parameters: (node.parameters ?? []).map(({ $ref }) => readParameter($ref)),
    body: json && node.requestBody ? { required: node.requestBody.required, schema: json.schema } : null,
    bodyTypes: Object.keys(node.requestBody?.content ?? {}),
    bodyBytesMax: node.requestBody?.['x-max-bytes'] ?? bodyBytesDefault,
  };
}

/** Roles without `security` need a token (the document's default); a public operation has to say so. */
function authenticationOf(node: OperationNode, roles: readonly string[]): Operation['authentication'] {
  if (roles.length > 0) return 'required';
  if (!node.security) throw new Error(`operation ${node.operationId} is neither public nor has roles`);
  const bearer = node.security.some((scheme) => 'bearer' in scheme);
  return bearer ? 'optional' : 'none';
}

function readParameter(ref: string): Parameter {
  const name = ref.slice('#/components/parameters/'.length);
  const node = document.components['parameters']?.[name] as Omit<Parameter, 'required'> & { required?: boolean } | undefined;
  if (!node) throw new Error(`the OpenAPI document has no parameter ${name}`);
  return { name: node.in === 'header' ? node.name.toLowerCase() : node.name, in: node.in, required: node.required ?? false, schema: node.schema };
}
