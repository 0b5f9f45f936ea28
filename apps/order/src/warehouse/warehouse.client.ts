import { createHmac } from 'node:crypto';
import { InfrastructureError } from '@floodgate/platform';
import { z } from 'zod';
import type { WarehouseBlock } from './warehouse-block.store.js';

export interface WarehouseSettings {
  url: string;
  /** Key of the signature that both sides know. */
  secret: string;
  timeoutMs: number;
}

const answerSchema = z.object({ operationId: z.string(), units: z.int().min(0) });

/**
 * `PUT {url}/operations/{operationId}` `{ kind, skuId, units }` → 200 `{ operationId, units }`: the units given, or taken back. The id names
 * one operation for ever: asked again it answers as before and does nothing. Signed as payment notices are:
 * `x-signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<operationId>.<raw body>">`.
 */
export class WarehouseClient {
  constructor(private readonly settings: WarehouseSettings) {}

  /**
   * Returns the units that the warehouse gave (0 to as many as asked for), or took back.
   * @throws InfrastructureError where that is not known: it is away, slow, or says what nobody understands. Ask again under the same id.
   */
  async carryOut({ operationId, kind, skuId, units }: WarehouseBlock): Promise<number> {
    const body = JSON.stringify({ kind, skuId, units });
    const seconds = Math.floor(Date.now() / 1_000);
    const signature = createHmac('sha256', this.settings.secret).update(`${seconds}.${operationId}.${body}`).digest('hex');
    let answer: unknown;
    try {
      const response = await fetch(`${this.settings.url.replace(/\/$/, '')}/operations/${operationId}`, {
        method: 'PUT', body, redirect: 'error', signal: AbortSignal.timeout(this.settings.timeoutMs),
        headers: { 'content-type': 'application/json', 'x-signature': `t=${seconds},v1=${signature}` },
      });
      if (response.status !== 200) {
        await response.body?.cancel();
        throw new Error(`status ${response.status}`);
      }
      answer = await response.json();
    } catch (error) {
      throw new InfrastructureError(`the warehouse does not answer about ${operationId}: ${(error as Error).message}`, { cause: error, outcome: 'unknown' });
    }
    const { data } = answerSchema.safeParse(answer);
    if (data?.operationId !== operationId || data.units > units) {
      throw new InfrastructureError(`the warehouse's answer about ${operationId} makes no sense`, { outcome: 'unknown' });
    }
    return data.units;
  }
}
