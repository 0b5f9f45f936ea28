import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formatsPlugin from 'ajv-formats';
import type { FastifyRequest } from 'fastify';
import { toFaults, type Fault } from './fault-messages.js';
import { isStorable, type JsonBody } from './json-body.js';
import { document, type JsonSchema, type Operation, type Parameter } from './openapi.document.js';

/** Parameters of a request as the document types them; header names in lower case. */
export interface RequestParameters {
  path: Record<string, string>;
  query: Record<string, unknown>;
  headers: Record<string, string>;
}

export interface ReadRequest extends RequestParameters {
  body: unknown;
  /** Everything wrong with the request at once; empty = as the document wants it. */
  faults: Fault[];
}

/** What a schema cannot say about a body, such as "no item twice". */
export type BodyRule = (body: never) => Fault[];

const documentId = 'floodgate';
const ajv = new Ajv2020({ allErrors: true, verbose: true, strict: false });
// The package is CommonJS: under Node's own loader its function stands in `default`.
(formatsPlugin as unknown as { default: (into: Ajv2020) => void }).default(ajv);
/** By the schema's text: many operations take the same parameters. */
const compiled = new Map<string, ValidateFunction>();
ajv.addSchema({ ...document, $id: documentId }, documentId, false, false);

/** A validator for a schema written as in the document, references included. Faults of all fields, none if it fits. */
export function compileSchema(schema: JsonSchema): (value: unknown) => Fault[] {
  const text = JSON.stringify(schema);
  const validate = compiled.get(text) ?? ajv.compile(withDocument(text));
  compiled.set(text, validate);
  return (value) => (validate(value) ? [] : toFaults(validate.errors ?? []));
}

/**
 * Builds the one check of an operation: parameters, headers and body, all faults at once. A raw operation leaves the body to
 * whoever knows it (a payment provider's notice is signed as it came).
 */
export function compileRequest(operation: Operation, options: { raw?: boolean; rule?: BodyRule } = {}): (request: FastifyRequest) => ReadRequest {
  const readParameters = compileParameters(operation.parameters);
  const checkBody = operation.body && !options.raw ? compileSchema(operation.body.schema) : null;
  const bodyFaults = (body: JsonBody | undefined): Fault[] => {
    if (options.raw) return [];
    if (body && body.faults.length > 0) return body.faults;
    const value = body?.value;
    if (!checkBody) return value === undefined || isEmptyObject(value) ? [] : [{ path: '', message: 'must be empty' }];
    if (value === undefined) return operation.body?.required ? [{ path: '', message: 'is missing' }] : [];
    return [...checkBody(value), ...(options.rule ? options.rule(value as never) : [])];
  };
  return (request) => {
    const parameters = readParameters(request);
    const body = request.body as JsonBody | undefined;
    return { ...parameters, body: body?.value, faults: [...parameters.faults, ...bodyFaults(body)] };
  };
}

function compileParameters(parameters: readonly Parameter[]): (request: FastifyRequest) => RequestParameters & { faults: Fault[] } {
  const queries = parameters.filter((parameter) => parameter.in === 'query');
  const headers = parameters.filter((parameter) => parameter.in === 'header');
  const check = compileSchema({
    type: 'object',
    properties: { path: objectOf(parameters, 'path'), query: objectOf(parameters, 'query'), headers: objectOf(parameters, 'header') },
  });
  return (request) => {
    const given = { path: request.params as Record<string, string>, query: readQuery(queries, request), headers: readHeaders(headers, request) };
    return { ...given, faults: [...check(given), ...repeatedHeaders(headers, request), ...unstorable('path', given.path), ...unstorable('query', given.query)] };
  };
}

function objectOf(parameters: readonly Parameter[], place: Parameter['in']): JsonSchema {
  const members = parameters.filter((parameter) => parameter.in === place);
  return {
    type: 'object',
    properties: Object.fromEntries(members.map(({ name, schema }) => [name, schema])),
    required: members.filter(({ required }) => required).map(({ name }) => name),
  };
}

/** Queries are text; only what is exactly a number, a boolean or a list becomes one, the rest is left for the schema to refuse. */
function readQuery(parameters: readonly Parameter[], request: FastifyRequest): Record<string, unknown> {
  if (parameters.length === 0) return {};
  const given = request.query as Record<string, unknown>;
  const read: Record<string, unknown> = {};
  for (const { name, schema } of parameters) {
    const value = given[name];
    if (value === undefined || (value === '' && schema['type'] === 'string')) {
      if ('default' in schema) read[name] = schema['default'];
    } else {
      read[name] = typeof value === 'string' ? readText(value, schema['type']) : value;
    }
  }
  return read;
}

function readText(text: string, type: unknown): unknown {
  if (type === 'integer') return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  if (type === 'array') return text.split(',');
  return text;
}

function readHeaders(parameters: readonly Parameter[], request: FastifyRequest): Record<string, string> {
  const read: Record<string, string> = {};
  for (const { name } of parameters) {
    const value = request.headers[name];
    if (typeof value === 'string') read[name] = value;
  }
  return read;
}

/** Node joins headers given twice with a comma, which would make one key of two. */
function repeatedHeaders(parameters: readonly Parameter[], request: FastifyRequest): Fault[] {
  return parameters
    .filter(({ name }) => request.headers[name]?.includes(', '))
    .filter(({ name }) => request.raw.rawHeaders.filter((word, index) => index % 2 === 0 && word.toLowerCase() === name).length > 1)
    .map(({ name }) => ({ path: `/headers/${name}`, message: 'must be given once' }));
}

function unstorable(place: string, values: Record<string, unknown>): Fault[] {
  const faults: Fault[] = [];
  for (const name in values) {
    const value = values[name];
    if (typeof value === 'string' && !isStorable(value)) faults.push({ path: `/${place}/${name}`, message: 'must be text without null characters' });
  }
  return faults;
}

const isEmptyObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;

/** The same schema with references into the document instead of into itself. */
function withDocument(schemaText: string): JsonSchema {
  return JSON.parse(schemaText, (key, value: unknown) =>
    (key === '$ref' && typeof value === 'string' && value.startsWith('#/') ? `${documentId}${value}` : value)) as JsonSchema;
}
