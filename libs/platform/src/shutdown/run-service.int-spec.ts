import { randomUUID } from 'node:crypto';
import { Controller, Get, Injectable, Module } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Consume, type DeliveryOf } from '../messaging/handler.decorators.js';
import { Publisher } from '../messaging/publisher.js';
import { eventually, gate } from '../support/eventually.js';
import { RETRY_DELAYS_MS, dropNamespace, laneLoaded, testUrl } from '../support/messaging.harness.js';
import { InternalRoutes } from './internal.routes.js';
import { Readiness } from './readiness.js';
import { bootService, type BootedService } from './run-service.js';
import { Shutdown } from './shutdown.js';

let trace: string[];
let http: ReturnType<typeof gate>;
let handler: ReturnType<typeof gate>;

@Controller()
class SlowController {
  @Get('slow')
  async slow(): Promise<string> {
    trace.push('request in');
    await http.opened;
    trace.push('request done');
    return 'ok';
  }

  @Consume('order.note-loaded')
  async note(_messages: DeliveryOf<'order.note-loaded'>[]): Promise<void> {
    trace.push('message in');
    await handler.opened;
    trace.push('message done');
  }
}

@Injectable()
class Hooks {
  constructor(shutdown: Shutdown, publisher: Publisher) {
    shutdown.onIntake('intake', () => { trace.push('intake'); });
    shutdown.onDrain('drain', () => { trace.push(`drain, publisher ${publisher.state}`); });
  }
}

@Module({ controllers: [SlowController], providers: [Hooks] })
class TestModule {}

describe('a service', () => {
  const namespace = `test-${randomUUID()}`;
  let service: BootedService;

  const boot = async () => {
    trace = [];
    http = gate();
    handler = gate();
    service = await bootService(TestModule, {
      name: 'test', internalPort: 0, host: '127.0.0.1', logLevel: 'silent',
      messaging: { url: testUrl('TEST_AMQP_URL'), namespace, retryDelaysMs: RETRY_DELAYS_MS },
      http: { port: 0 },
    });
    await eventually(async () => expect((await ask('/readyz')).status).toBe(200));
  };
  const ask = (path: string) => fetch(`http://127.0.0.1:${service.internalPort}${path}`);
  const base = () => service.app.getUrl();

  afterEach(() => dropNamespace(namespace));

  it('takes by POST what it has a route for, up to a length, and nothing else', async () => {
    await boot();
    service.app.get(InternalRoutes, { strict: false }).post('/things', async ({ authorization, body }) => ({ status: 202, body: { authorization, bytes: body.length } }));
    const post = (path: string, body: string) => fetch(`http://127.0.0.1:${service.internalPort}${path}`, { method: 'POST', body, headers: { authorization: 'Bearer x' } });
    const taken = await post('/things', 'abc');
    expect([taken.status, await taken.json()]).toEqual([202, { authorization: 'Bearer x', bytes: 3 }]);
    expect((await post('/things', 'x'.repeat(1_048_577))).status).toBe(413);
    expect((await post('/others', 'abc')).status).toBe(404);
    expect((await ask('/things')).status).toBe(404);
    await service.stop();
  });

  it('stops in the order that loses nothing', async () => {
    await boot();
    const answer = fetch(`${await base()}/slow`);
    await service.app.get(Publisher).publish('lane.loaded', laneLoaded(1));
    await eventually(() => expect([...trace].sort()).toEqual(['message in', 'request in']));
    const stopped = service.stop();
    await eventually(async () => expect(await (await ask('/readyz')).json()).toEqual({ ok: false, failing: ['stopping'] }));
    expect((await ask('/livez')).status).toBe(200);
    http.open();
    expect((await answer).headers.get('connection')).toBe('close');
    expect(await (await answer).text()).toBe('ok');
    handler.open();
    await stopped;
    expect(trace.slice(2)).toEqual(['intake', 'request done', 'message done', 'drain, publisher up']);
    await expect(ask('/livez')).rejects.toThrow();
  });

  it('says which condition of its readiness fails, and shows its metrics', async () => {
    await boot();
    service.app.get(Readiness).register('redis', () => false);
    const response = await ask('/readyz');
    expect([response.status, await response.json()]).toEqual([503, { ok: false, failing: ['redis'] }]);
    const metrics = await (await ask('/metrics')).text();
    expect(metrics).toContain('nodejs_eventloop_lag_seconds{service="test"}');
    expect(metrics).toContain('floodgate_publishes_pending');
    http.open();
    handler.open();
    await service.stop();
  });
});
