import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { switchValues, type Actor, type Answer, type AuditLogEntryView, type Block } from '@floodgate/contracts';
import { Database, type RequestClient } from '@floodgate/platform';
import { eventually, startService, type RunningService } from '@floodgate/platform/testing';
import { AppModule } from '../app.module.js';
import { AbuseStore } from './abuse.store.js';

const { 'block-list.forged-attempts-max': attemptsMax, 'block-list.block-minutes': blockMinutes } = switchValues(false);

const operator: Actor = { accountId: 'operator-1', roles: ['operator'] };
let service: RunningService;
let client: RequestClient;
beforeAll(async () => {
  service = await startService((urls) => AppModule.with(urls));
  client = service.client;
});
afterAll(() => service.stop());

const get = (accountId: string) => client.ask('get-block', { accountId });
const block = (accountId: string, changes: { reason?: string; untilMs?: number } = {}) =>
  client.ask('set-block', { actor: operator, accountId, reason: changes.reason ?? null, untilMs: changes.untilMs ?? null });
const told = (accountId: string): Block[] =>
  service.heard.flatMap((heard) => (heard.name === 'block-list.changed' ? heard.body.entries : [])).filter((entry) => entry.accountId === accountId);
const log = async () => {
  const outcome = await client.ask('list-audit-log', { limit: 100, cursor: null });
  if (!outcome.ok) throw new Error(outcome.detail);
  return outcome.value.items;
};
const report = (abuses: { accountId: string; saleId: string; count: number }[], reportId = randomUUID()) => client.ask('report-refusals', { reportId, forbidden: [], abuses });

describe('the block list', () => {
  it('blocks, changes and lifts, tells every gateway, and says in the log who did it, why, before and after', async () => {
    expect(await get('bot')).toMatchObject({ code: 'NOT_FOUND' });
    expect(await block('bot', { reason: 'scalper' })).toMatchObject({ ok: true, value: { accountId: 'bot', reason: 'scalper', until: null, actor: 'operator-1' } });
    expect(await block('bot', { reason: 'scalper', untilMs: 4e12 })).toMatchObject({ ok: true, value: { until: new Date(4e12).toISOString() } });
    expect(await get('bot')).toMatchObject({ ok: true, value: { reason: 'scalper' } });
    expect(await client.ask('lift-block', { actor: operator, accountId: 'bot' })).toEqual({ ok: true, value: null });
    expect(await client.ask('lift-block', { actor: operator, accountId: 'bot' })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await get('bot')).toMatchObject({ code: 'NOT_FOUND' });
    await eventually(() => expect(told('bot').map(({ version, blocked, untilMs }) => `${version}: ${blocked} ${untilMs}`).sort()).toEqual(['1: true null', '2: true 4000000000000', '3: false 4000000000000']));
    expect((await log()).filter(({ subject }) => subject === 'bot').map(({ action, accountId, reason, before, after }) => ({ action, accountId, reason, before, after }))).toEqual([
      { action: 'unblock', accountId: 'operator-1', reason: null, before: expect.objectContaining({ accountId: 'bot' }), after: null },
      { action: 'block', accountId: 'operator-1', reason: 'scalper', before: expect.objectContaining({ until: null }), after: expect.objectContaining({ until: new Date(4e12).toISOString() }) },
      { action: 'block', accountId: 'operator-1', reason: 'scalper', before: null, after: expect.objectContaining({ accountId: 'bot', reason: 'scalper' }) },
    ]);
  });

  it('is over by itself', async () => {
    await block('past', { untilMs: 1 });
    expect(await get('past')).toMatchObject({ code: 'NOT_FOUND' });
    expect(await client.ask('lift-block', { actor: operator, accountId: 'past' })).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('can be followed by version: what is changed at the same time is listed in the order it was committed', async () => {
    await Promise.all(Array.from({ length: 12 }, (_, n) => block(`many-${n}`)));
    await client.ask('lift-block', { actor: operator, accountId: 'many-3' });
    const all: Block[] = [];
    for (let after = 0, more = true; more;) {
      const page = await client.ask('list-blocks', { after });
      all.push(...page.entries);
      ({ more } = page);
      after = page.entries.at(-1)?.version ?? after;
    }
    expect(all.map(({ version }) => version)).toEqual(all.map(({ version }) => version).toSorted((a, b) => a - b));
    // A whole list has only what holds; whoever follows learns what was lifted.
    expect(all.filter(({ accountId }) => accountId.startsWith('many-'))).toHaveLength(11);
    const { entries } = await client.ask('list-blocks', { after: all.at(-1)!.version });
    expect(entries).toEqual([expect.objectContaining({ accountId: 'many-3', blocked: false })]);
  });
});

describe('repeated abuse', () => {
  it('blocks for a while from the threshold on, per sale, with the platform as the actor; reports count once', async () => {
    await report([{ accountId: 'forger', saleId: 'A', count: attemptsMax }, { accountId: 'forger', saleId: 'B', count: attemptsMax }]);
    expect(await get('forger')).toMatchObject({ code: 'NOT_FOUND' });
    const reportId = randomUUID();
    expect(await report([{ accountId: 'forger', saleId: 'A', count: 1 }], reportId)).toEqual({ noted: true });
    expect(await report([{ accountId: 'forger', saleId: 'A', count: 1 }], reportId)).toEqual({ noted: false });
    const blocked = await get('forger');
    expect(blocked).toMatchObject({ ok: true, value: { actor: 'system', reason: expect.stringContaining('sale A') } });
    if (blocked.ok) expect(Date.parse(blocked.value.until!) - Date.parse(blocked.value.blockedAt)).toBeGreaterThan(blockMinutes * 60_000 - 60_000);
    expect((await log()).filter(({ subject }) => subject === 'forger')).toEqual([expect.objectContaining({ action: 'block', accountId: 'system', before: null })]);
    const rows = await service.get(Database).query('SELECT attempts FROM abuse WHERE account_id = $1 AND sale_id = $2', ['forger', 'A']);
    expect(rows).toEqual([{ attempts: attemptsMax + 1 }]);
  });

  it('is counted by the threshold that an operator has set, or not at all', async () => {
    const set = (value: number) => client.ask('set-switch', { actor: operator, name: 'block-list.forged-attempts-max', value });
    await set(0);
    await report([{ accountId: 'hasty', saleId: 'A', count: 1 }]);
    expect(await get('hasty')).toMatchObject({ code: 'NOT_FOUND' });
    await set(1);
    await report([{ accountId: 'hasty', saleId: 'A', count: 1 }]);
    expect(await get('hasty')).toMatchObject({ ok: true });
    await set(attemptsMax);
  });

  it('long ago does not count, and is forgotten', async () => {
    const database = service.get(Database);
    await report([{ accountId: 'clumsy', saleId: 'A', count: attemptsMax }]);
    await database.query("UPDATE abuse SET since = clock_timestamp() - interval '1 day' WHERE account_id = 'clumsy'");
    await report([{ accountId: 'clumsy', saleId: 'A', count: 1 }]);
    expect(await get('clumsy')).toMatchObject({ code: 'NOT_FOUND' });
    await database.query("UPDATE abuse SET since = clock_timestamp() - interval '1 day' WHERE account_id = 'clumsy'");
    await service.get(AbuseStore).prune();
    expect(await database.query("SELECT 1 FROM abuse WHERE account_id = 'clumsy'")).toEqual([]);
  });
});

describe('the audit log', () => {
  it('takes acts from other services once, and attempts that were refused', async () => {
    const act = { actId: randomUUID(), atMs: Date.now(), accountId: 'operator-2', action: 'set-inventory', subject: 'sku-1', reason: null, before: { units: 1, same: 1 }, after: { units: 2, same: 1 } };
    for (let n = 0; n < 2; n++) await service.publisher.publish('admin.acted', act);
    await eventually(async () => expect((await log()).some(({ subject }) => subject === 'sku-1')).toBe(true));
    await client.ask('report-refusals', { reportId: randomUUID(), forbidden: [{ accountId: 'curious', operation: 'pauseSale', path: '/v1/admin/sales/x/pause', count: 3, firstMs: 1_000, lastMs: 2_000 }], abuses: [] });
    await service.publisher.publish('admin.acted', { ...act, actId: randomUUID(), subject: 'sku-2' });
    const entries = await eventually(async () => {
      const now = await log();
      expect(now.some(({ subject }) => subject === 'sku-2')).toBe(true);
      return now;
    });
    expect(entries.filter(({ subject }) => subject === 'sku-1')).toEqual([expect.objectContaining({ accountId: 'operator-2', before: { units: 1 }, after: { units: 2 } })]);
    expect(entries.find(({ subject }) => subject === 'pauseSale')).toMatchObject({
      accountId: 'curious', action: 'refused', reason: 'FORBIDDEN', after: { count: 3, path: '/v1/admin/sales/x/pause', firstAt: new Date(1_000).toISOString() },
    });
  });

  it('comes newest first, page by page, each entry chained to the one before it', async () => {
    await Promise.all(Array.from({ length: 6 }, (_, n) => block(`chained-${n}`)));
    const all: AuditLogEntryView[] = [];
    for (let cursor: string | null = null; ;) {
      const outcome: Answer<'list-audit-log'> = await client.ask('list-audit-log', { limit: 4, cursor });
      if (!outcome.ok) throw new Error(outcome.detail);
      all.push(...outcome.value.items);
      cursor = outcome.value.nextCursor;
      if (cursor === null) break;
    }
    const ids = all.map(({ id }) => Number(id));
    expect(ids).toEqual(ids.toSorted((a, b) => b - a));
    expect(all.length).toBeGreaterThan(6);
    expect(all.filter(({ intact }) => !intact)).toEqual([]);
    expect(await client.ask('list-audit-log', { limit: 4, cursor: 'made up' })).toMatchObject({ code: 'INVALID_REQUEST' });
  });

  it('shows what somebody changed who got past the trigger', async () => {
    await block('framed');
    const database = service.get(Database);
    await database.transaction(async (tx) => {
      await tx.query('ALTER TABLE audit_log DISABLE TRIGGER audit_log_append_only');
      await tx.query("UPDATE audit_log SET account_id = 'somebody-else' WHERE subject = 'framed'");
      await tx.query('ALTER TABLE audit_log ENABLE TRIGGER audit_log_append_only');
    });
    expect((await log()).find(({ subject }) => subject === 'framed')).toMatchObject({ accountId: 'somebody-else', intact: false });
    for (const statement of ["UPDATE audit_log SET account_id = 'x'", 'DELETE FROM audit_log', 'TRUNCATE audit_log']) {
      await expect(database.query(statement)).rejects.toThrow(/append-only|permission denied/);
    }
  });
});
