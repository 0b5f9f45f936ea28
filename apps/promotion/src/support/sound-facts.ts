import { itemId } from '@floodgate/contracts';
import { startService, type RunningService } from '@floodgate/platform/testing';
import { AppModule } from '../app.module.js';
import { PreflightFacts, type Facts } from '../sale/preflight.facts.js';
import type { Sale } from '../sale/sale.entity.js';

/** What the other services say of a sale with which nothing is wrong, and which Redis has loaded. */
export function soundFacts(sale: Sale, changes: Partial<Facts> = {}): Facts {
  const nowMs = Date.now();
  const clock = { sentMs: 0, receivedMs: 10, atMs: nowMs };
  const items = sale.items.map((item, index) => ({ ...item, itemId: itemId(sale.id, index + 1) }));
  return {
    stock: {
      nowMs,
      copy: { perAccount: sale.limits.perAccount ?? null, perIp: sale.limits.perIp ?? null, items: items.map((item) => ({ itemId: item.itemId, allotment: item.quota, free: item.quota, perAccount: item.perAccount })) },
      inventory: items.map(({ skuId, quota }) => ({ skuId, free: quota })),
      codes: [],
    },
    redis: { nowMs, role: 'master', loading: false, maxmemoryPolicy: 'noeviction', aofEnabled: true },
    brokerFaults: [],
    audienceEmpty: false,
    lanes: [{ epoch: 1, selling: true, relayLength: 0, reservations: 0, stock: items.map((item) => ({ itemId: item.itemId, available: item.quota, unsettled: 0 })) }],
    clocks: { redis: clock, postgres: clock },
    ...changes,
  };
}

/** Promotion with stand-ins for the services that its checklist asks; `facts` holds what they say of single sales instead. */
export async function startPromotion(): Promise<{ service: RunningService; facts: Map<string, (sale: Sale) => Facts> }> {
  const facts = new Map<string, (sale: Sale) => Facts>();
  const standIn = { gather: (sale: Sale) => Promise.resolve((facts.get(sale.id) ?? soundFacts)(sale)) };
  const service = await startService((urls) => AppModule.with(urls), (builder) => builder.overrideProvider(PreflightFacts).useValue(standIn));
  return { service, facts };
}
