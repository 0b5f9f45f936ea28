import { expect } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { document, operationOf, type JsonSchema } from '../openapi/openapi.document.js';
import { compileSchema } from '../openapi/request-validator.js';

export interface Given {
  /** Path parameters; what is not given is a well-formed id of nothing. */
  path?: Record<string, string>;
  query?: string;
  headers?: Record<string, string>;
  /** An object is sent as JSON, text and bytes as they are. */
  body?: unknown;
}

export interface Got {
  status: number;
  headers: Record<string, unknown>;
  text: string;
  json: any;
}

/** Calls an operation of the document and holds the answer against it: status, headers, type, problem code and schema. */
export async function callOperation(app: NestFastifyApplication, id: string, given: Given = {}): Promise<Got> {
  const { method, path } = operationOf(id);
  const url = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => given.path?.[name] ?? 'nothing') + (given.query ?? '');
  const isRaw = typeof given.body === 'string' || Buffer.isBuffer(given.body);
  const response = await app.inject({
    method, url, headers: { ...(given.body === undefined ? {} : { 'content-type': 'application/json' }), ...given.headers },
    ...(given.body === undefined ? {} : { payload: isRaw ? given.body as string : JSON.stringify(given.body) }),
  });
  const got = { status: response.statusCode, headers: response.headers, text: response.body, json: parsed(response.body) };
  expectContract(id, got);
  return got;
}

interface ResponseNode { content?: Record<string, { schema: JsonSchema }>; headers?: Record<string, unknown>; 'x-codes'?: string[] }

/** Fails unless the document describes this answer of the operation. */
export function expectContract(id: string, { status, headers, json, text }: Got): void {
  const { path, method } = operationOf(id);
  const responses = (document.paths[path]?.[method.toLowerCase()]?.responses ?? {}) as Record<string, ResponseNode | { $ref: string }>;
  const found = responses[status];
  if (!found) throw new Error(`${id} answered ${status}, which the document does not have: ${text}`);
  const response = '$ref' in found ? resolve(found.$ref) : found;
  expect(headers['x-request-id']).toMatch(/^[A-Za-z0-9._-]{1,64}$/);
  if (response.headers?.['Retry-After']) expect(headers['retry-after']).toMatch(/^\d+$/);
  for (const [type, { schema }] of Object.entries(response.content ?? {})) {
    expect(headers['content-type']).toContain(type);
    const values: unknown[] = type === 'text/event-stream' ? [...text.matchAll(/^data: (.+)$/gm)].map(([, data]) => parsed(data ?? '')) : [json];
    for (const value of values) expect(compileSchema(schema)(value)).toEqual([]);
  }
  if (response['x-codes']) expect(response['x-codes']).toContain(json.code);
}

function resolve(ref: string): ResponseNode {
  const [kind = '', name = ''] = ref.slice('#/components/'.length).split('/');
  return document.components[kind]?.[name] as ResponseNode;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Pages and event streams are no JSON, and their tests read `text`.
    return undefined;
  }
}
