import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startGateway, type Gateway } from '../testing/gateway.fixture.js';
import { document, operations } from './openapi.document.js';
import { pendingOperations } from './pending-operations.js';
import { ServedRoutes } from './served-routes.js';

describe('the OpenAPI document and the routes', () => {
  let gateway: Gateway;
  let registered: string[];
  beforeAll(async () => {
    gateway = await startGateway();
    registered = gateway.app.get(ServedRoutes, { strict: false }).list();
  });
  afterAll(() => gateway.close());

  it('agree: every route is an operation or a page that the document names as outside of it', () => {
    const outside = ['GET /docs', 'GET /openapi.json'];
    const pending = new Set<string>(pendingOperations);
    const served = [...operations.values()].filter(({ id }) => !pending.has(id)).map(({ method, url }) => `${method} ${url}`);
    expect(registered).toEqual([...served, ...outside].sort());
    expect(outside.every((route) => route.slice('GET '.length) in document['x-outside'])).toBe(true);
  });

  it('are what Fastify has in its own table', () => {
    const server = gateway.app.getHttpAdapter().getInstance();
    for (const route of registered) {
      const [method = '', url = ''] = route.split(' ');
      expect(server.hasRoute({ method, url })).toBe(true);
    }
    const lines = server.printRoutes({ commonPrefix: false, includeHooks: false }).match(/\((?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)[^)]*\)/g) ?? [];
    const methods = lines.flatMap((line) => line.slice(1, -1).split(', '));
    expect(methods).toHaveLength(registered.length);
  });

  it('have a pending list of operations that exist and are not served', () => {
    for (const id of pendingOperations) {
      const operation = operations.get(id);
      expect(operation).toBeDefined();
      expect(registered).not.toContain(`${operation?.method} ${operation?.url}`);
    }
  });

  it('deny by default: every operation needs a role, except those the contract opens', () => {
    const open = [...operations.values()].filter(({ authentication }) => authentication !== 'required').map(({ id }) => id).sort();
    expect(open).toEqual(['getLiveness', 'getReadiness', 'getSale', 'getTime', 'listSales', 'loginDeveloper', 'receivePaymentCallback']);
  });

  it('refuse every served operation with roles to callers without a token, and to callers with another role', async () => {
    const { bearer } = await import('../testing/gateway.fixture.js');
    const pending = new Set<string>(pendingOperations);
    for (const { id, method, path, roles, authentication } of operations.values()) {
      if (pending.has(id) || authentication !== 'required') continue;
      const url = path.replaceAll(/\{\w+\}/g, 'x');
      const anonymous = await gateway.app.inject({ method, url });
      expect([id, anonymous.statusCode, anonymous.json().code]).toEqual([id, 401, 'UNAUTHENTICATED']);
      const others = ['buyer', 'merchant', 'approver', 'operator', 'auditor'].filter((role) => !roles.includes(role));
      const stranger = await gateway.app.inject({ method, url, headers: bearer('someone', ...others) });
      expect([id, stranger.statusCode, stranger.json().code]).toEqual([id, 403, 'FORBIDDEN']);
    }
  });

  it('are served as /openapi.json with the served operations only, and as a page', async () => {
    const served = (await gateway.app.inject('/openapi.json')).json();
    const ids = Object.values(served.paths).flatMap((item) => Object.values(item as object).map((node) => String(node.operationId))).sort();
    expect(ids).toEqual([...operations.keys()].filter((id) => !pendingOperations.includes(id)).sort());
    for (const [path, item] of Object.entries(served.paths)) {
      for (const [method, node] of Object.entries(item as object)) expect(node).toEqual(document.paths[path]?.[method]);
    }
    for (const [, ref = ''] of JSON.stringify(served).matchAll(/"\$ref":"#\/components\/([^"]+)"/g)) {
      const [kind = '', name = ''] = ref.split('/');
      expect(served.components[kind][name]).toEqual(document.components[kind]?.[name]);
    }
    const page = await gateway.app.inject('/docs');
    expect(page.headers['content-type']).toContain('text/html');
    expect(page.body).toContain('/v1/sales/{saleId}/reservations');
    expect(page.body).not.toMatch(/(?:src|href)="https?:/);
  });
});
