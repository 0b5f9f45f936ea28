import { describe, expect, it } from '@jest/globals';
import type { RouteOptions } from 'fastify';
import { operationOf, operations } from '../openapi/openapi.document.js';
import { startGateway } from '../testing/gateway.fixture.js';
import { AdmissionHooks } from './admission.hooks.js';
import { JwtVerifier } from './jwt.js';

const untouched = {} as never;
const hooks = new AdmissionHooks(new JwtVerifier({ secrets: [] }), { judge: () => null } as never, untouched, untouched, untouched);
const route = (config: object): RouteOptions => ({ method: 'GET', url: '/v1/admin/everything', handler: () => undefined, config });

describe('a route', () => {
  it('that the document does not know cannot be served', () => {
    expect(() => hooks.apply(route({}))).toThrow(/not in the OpenAPI document/);
    expect(() => hooks.apply(route({ outside: '/v1/admin/everything' }))).toThrow(/not in the OpenAPI document/);
    expect(() => hooks.apply(route({ outside: '/docs' }))).not.toThrow();
    expect(() => hooks.apply(route({ route: { operation: operationOf('getOrder') } }))).not.toThrow();
  });

  it('cannot be added behind the back of the admission', async () => {
    const gateway = await startGateway();
    expect(() => gateway.app.getHttpAdapter().getInstance().get('/v1/late', () => 'open')).toThrow();
    await gateway.close();
  });

  it('needs known roles only', () => {
    const known = new Set(['buyer', 'merchant', 'approver', 'operator', 'auditor']);
    for (const { id, roles } of operations.values()) expect([id, roles.filter((role) => !known.has(role))]).toEqual([id, []]);
  });
});
