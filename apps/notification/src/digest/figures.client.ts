import { RequestClient, RequestError } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import type { Figures } from './digest.text.js';

/** Reads as the auditors may. */
const reader = { accountId: 'notification', roles: ['auditor'] };
const reportMs = 15_000;
const boardMs = 2_000;

/** The figures of a sale, from those who have them. */
@Injectable()
export class FiguresClient {
  constructor(private readonly client: RequestClient) {}

  /** Null while the order service does not answer: then there is no digest yet. */
  async read(saleId: string, remaining: number | null): Promise<Figures | null> {
    const report = await unlessSilent(this.client.ask('get-sale-report', { actor: reader, saleId }, { timeoutMs: reportMs }));
    return report?.ok ? { report: report.value, remaining } : null;
  }

  /** Free units in Redis, which the report need not be asked for; null where it is not known (a lane that is rebuilt sells nothing and says nothing). */
  async remaining(saleId: string): Promise<number | null> {
    const board = await unlessSilent(this.client.ask('get-board', { saleIds: [saleId] }, { timeoutMs: boardMs }));
    const lanes = board?.lanes.filter((lane) => lane.saleId === saleId) ?? [];
    if (lanes.length === 0 || lanes.some(({ selling }) => !selling)) return null;
    return lanes.flatMap(({ items }) => items).reduce((sum, [, available]) => sum + available, 0);
  }
}

async function unlessSilent<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof RequestError) return null; // it is asked again with the next tick
    throw error;
  }
}
