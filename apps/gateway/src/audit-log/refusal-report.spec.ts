import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { operations } from '../openapi/openapi.document.js';
import { pendingOperations } from '../openapi/pending-operations.js';
import { callOperation } from '../testing/contract.js';
import { bearer, startGateway, type Gateway } from '../testing/gateway.fixture.js';
import { StandInClient } from '../testing/stand-in.client.js';
import { RefusalReport } from './refusal-report.js';

const pending = new Set<string>(pendingOperations);
const adminOperations = [...operations.values()].filter(({ id, path }) => path.startsWith('/v1/admin/') && !pending.has(id)).map(({ id }) => id);

describe('attempts at admin operations by those who may not', () => {
  let client: StandInClient;
  let gateway: Gateway;
  let report: RefusalReport;
  beforeEach(async () => {
    client = new StandInClient().on('report-refusals', () => ({ noted: true }));
    gateway = await startGateway(client);
    report = gateway.app.get(RefusalReport, { strict: false });
  });
  afterEach(() => gateway.close());
  const told = () => client.bodies('report-refusals').flatMap(({ forbidden }) => forbidden);

  it.each(adminOperations)('%s is told with who, what and where', async (id) => {
    const got = await gateway.app.inject({ method: operations.get(id)!.method, url: `${operations.get(id)!.path.replaceAll(/\{\w+\}/g, 'x')}?secret=1`, headers: bearer('curious', 'buyer') });
    expect([got.statusCode, got.json().code]).toEqual([403, 'FORBIDDEN']);
    await report.send();
    expect(told()).toEqual([expect.objectContaining({ accountId: 'curious', operation: id, path: operations.get(id)!.path.replaceAll(/\{\w+\}/g, 'x'), count: 1 })]);
  });

  it('a refusal by the service behind the route is told, too; other answers are not', async () => {
    client.on('move-sale', () => ({ ok: false, code: 'FORBIDDEN', detail: 'own sale' }));
    await callOperation(gateway.app, 'approveSale', { path: { id: 'x' }, headers: bearer('both', 'approver') });
    client.on('move-sale', () => ({ ok: false, code: 'NOT_FOUND', detail: 'none' }));
    await callOperation(gateway.app, 'approveSale', { path: { id: 'x' }, headers: bearer('third', 'approver') });
    await report.send();
    expect(told().map(({ accountId }) => accountId)).toEqual(['both']);
  });

  it('are counted together after the first, and however many accounts knock, memory and reports stay bounded', async () => {
    report.noteForbidden('a', 'pauseSale', '/p', 1);
    await report.send();
    for (let n = 0; n < 50; n++) report.noteForbidden('a', 'pauseSale', '/p', n + 2);
    await report.send();
    expect(told()).toHaveLength(1);
    await report.send(-Infinity);
    expect(told()[1]).toMatchObject({ count: 50, firstMs: 2, lastMs: 51 });
    for (let n = 0; n < 5_000; n++) report.noteForbidden(`bot-${n}`, 'pauseSale', '/p', n);
    for (let n = 0; n < 20; n++) await report.send();
    expect(told().length).toBeLessThan(1_010);
    expect(told().find(({ accountId }) => accountId === 'several')?.count).toBeGreaterThan(3_000);
    expect(Math.max(...client.bodies('report-refusals').map(({ forbidden }) => forbidden.length))).toBeLessThanOrEqual(100);
  });
});
