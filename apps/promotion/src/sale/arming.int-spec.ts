import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Actor, SaleView } from '@floodgate/contracts';
import { Database, type RequestClient } from '@floodgate/platform';
import { eventually, type RunningService } from '@floodgate/platform/testing';
import { soundFacts, startPromotion } from '../support/sound-facts.js';
import { ArmJob } from './arm.job.js';
import { checks } from './preflight.checks.js';
import type { Facts } from './preflight.facts.js';
import { faults } from './preflight.samples.js';
import type { Sale } from './sale.entity.js';
import { saleInput } from './sale.samples.js';

const merchant: Actor = { accountId: 'merchant-1', roles: ['merchant'] };
const approver: Actor = { accountId: 'approver-1', roles: ['approver'] };
const minuteMs = 60_000;

let service: RunningService;
let facts: Map<string, (sale: Sale) => Facts>;
let client: RequestClient;
beforeAll(async () => {
  ({ service, facts } = await startPromotion());
  client = service.client;
});
afterAll(() => service.stop());

const iso = (offsetMs: number) => new Date(Date.now() + offsetMs).toISOString();
const asked = (saleId: string) => service.heard.filter(({ name, body }) => name === 'sale.approved' && 'saleId' in body && body.saleId === saleId);
const get = async (saleId: string): Promise<SaleView> => {
  const outcome = await client.ask('get-sale', { actor: approver, saleId, nowMs: Date.now() });
  if (!outcome.ok) throw new Error(outcome.detail);
  return outcome.value;
};

/** A sale that is about to be approved, far enough before its time that only the test arms it. */
async function submitted(): Promise<string> {
  const made = await client.ask('create-sale', { actor: merchant, input: saleInput({ opensAt: iso(15 * minuteMs), closesAt: iso(60 * minuteMs) }) });
  if (!made.ok) throw new Error(JSON.stringify(made));
  await client.ask('move-sale', { actor: merchant, saleId: made.value.id, action: 'submit', reason: null, nowMs: Date.now() });
  return made.value.id;
}
const approve = (saleId: string) => client.ask('move-sale', { actor: approver, saleId, action: 'approve', reason: null, nowMs: Date.now() });

/** Puts what the API would refuse straight into the row, since a check must hold against whatever stands there. */
async function spoil(saleId: string, { mode, items }: Partial<Sale>): Promise<void> {
  await service.get(Database).query('UPDATE sale SET mode = coalesce($2, mode), items = coalesce($3, items) WHERE id = $1', [saleId, mode ?? null, items ? JSON.stringify(items) : null]);
}

describe('arming is blocked by', () => {
  const dueMs = () => Date.now() + 6 * minuteMs;

  // A window that has passed is never due: its sale cannot even be approved, and the job does not look at it.
  it.each(checks.filter(({ when, check }) => when === 'before' && check !== 'window').map(({ check }) => check))('%s', async (check) => {
    for (const fault of faults[check]!) {
      const id = await submitted();
      await spoil(id, fault.sale ?? {});
      facts.set(id, (sale) => soundFacts(sale, fault.facts?.(sale)));
      expect(await approve(id)).toMatchObject({ ok: true });
      expect(await service.get(ArmJob).armDue(dueMs())).not.toContain(id);
      expect(await get(id)).toMatchObject({ state: 'APPROVED', armError: expect.stringContaining(`${check}: `) });
      expect(asked(id)).toEqual([]);
      await client.ask('move-sale', { actor: { accountId: 'o', roles: ['operator'] }, saleId: id, action: 'withdraw', reason: null, nowMs: Date.now() });
    }
  });

  it('window: neither approved nor ever asked for', async () => {
    const id = await submitted();
    await service.get(Database).query("UPDATE sale SET opens_at = '2001-01-01', closes_at = '2001-01-02' WHERE id = $1", [id]);
    expect(await approve(id)).toMatchObject({ code: 'INVALID_TRANSITION' });
    await service.get(Database).query("UPDATE sale SET state = 'APPROVED', approved_by = 'approver-1' WHERE id = $1", [id]);
    expect(await service.get(ArmJob).armDue()).not.toContain(id);
    expect(asked(id)).toEqual([]);
  });

  it.each(checks.filter(({ when }) => when === 'loaded').map(({ check }) => check))('%s, after the load', async (check) => {
    for (const fault of faults[check]!) {
      const id = await submitted();
      await approve(id);
      expect(await service.get(ArmJob).armDue(dueMs())).toContain(id);
      facts.set(id, (sale) => soundFacts(sale, fault.facts?.(sale)));
      await service.publisher.publish('sale.armed', { saleId: id });
      await eventually(async () => expect(await get(id)).toMatchObject({ state: 'APPROVED', armError: expect.stringContaining(`${check}: `) }));
      facts.delete(id);
      await service.publisher.publish('sale.armed', { saleId: id });
      await eventually(async () => expect(await get(id)).toMatchObject({ state: 'ARMED', armError: null }));
    }
  });

  it('nothing any more once it is mended', async () => {
    const id = await submitted();
    facts.set(id, (sale) => soundFacts(sale, { redis: null }));
    await approve(id);
    const job = service.get(ArmJob);
    const nowMs = dueMs();
    expect(await job.armDue(nowMs)).not.toContain(id);
    facts.delete(id);
    // Not looked at again at once: a checklist asks half the platform.
    expect(await job.armDue(nowMs + 1_000)).not.toContain(id);
    expect(await job.armDue(nowMs + 4_000)).toContain(id);
    expect(await get(id)).toMatchObject({ armError: null });
    expect(asked(id).length).toBeLessThanOrEqual(1);
  });
});
