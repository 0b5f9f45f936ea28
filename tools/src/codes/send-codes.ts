import { createReadStream, statSync } from 'node:fs';
import { Transform } from 'node:stream';
import { request } from 'undici';
import { signToken } from '../scenario/sign-token.js';

/** What the platform says of an import. */
export interface ImportResult {
  received: number;
  added: number;
  duplicates: number;
  invalid: number;
  errors: { line: number; message: string }[];
}

export interface Gateway {
  gatewayUrl: string;
  jwtSecret: string;
}

/**
 * Streams a file of codes to the running platform, as the sale's merchant. It is never held whole, here or there: the platform takes
 * it in at its own pace, and so the progress is real.
 * @param progress called with the share that was taken in, 0 to 1, and the bytes so far
 * @throws one sentence where the platform refuses it
 */
export async function sendCodes({ gatewayUrl, jwtSecret }: Gateway, saleId: string, itemId: string, file: string, progress: (share: number, bytes: number) => void): Promise<ImportResult> {
  const { size } = statSync(file);
  const merchantId = await merchantOf({ gatewayUrl, jwtSecret }, saleId);
  let bytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      progress(size === 0 ? 1 : bytes / size, bytes);
      done(null, chunk);
    },
  });
  const body = createReadStream(file, { highWaterMark: 64 * 1024 }).on('error', (error) => counted.destroy(error)).pipe(counted);
  const response = await request(`${gatewayUrl}/v1/admin/sales/${encodeURIComponent(saleId)}/items/${encodeURIComponent(itemId)}/codes`, {
    method: 'POST', body, headersTimeout: 0, bodyTimeout: 0,
    headers: { authorization: `Bearer ${signToken(jwtSecret, merchantId, ['merchant'])}`, 'content-type': /\.(?:ndjson|jsonl)$/.test(file) ? 'application/x-ndjson' : 'text/csv' },
  });
  const answer = (await response.body.json()) as ImportResult & { code?: string; detail?: string };
  if (response.statusCode !== 200) throw new Error(`the gateway does not take the codes: ${response.statusCode} ${answer.code ?? ''}, ${answer.detail ?? ''}`);
  return answer;
}

async function merchantOf({ gatewayUrl, jwtSecret }: Gateway, saleId: string): Promise<string> {
  const response = await request(`${gatewayUrl}/v1/admin/sales/${encodeURIComponent(saleId)}`, { headers: { authorization: `Bearer ${signToken(jwtSecret, 'codes-command', ['auditor'])}` } });
  const sale = (await response.body.json()) as { merchantId?: string; detail?: string };
  if (!sale.merchantId) throw new Error(`there is no sale ${saleId}: ${response.statusCode} ${sale.detail ?? ''}`);
  return sale.merchantId;
}
