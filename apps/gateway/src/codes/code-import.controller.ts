import type { Readable } from 'node:stream';
import { Controller } from '@nestjs/common';
import { refuse, type Outcome, type SaleItemView } from '@floodgate/contracts';
import { PlatformClock } from '../board/platform-clock.js';
import { Operation, type Answer, type Call } from '../openapi/operation.decorator.js';
import { streamedBody, takeYourTime } from '../openapi/streamed-body.js';
import { Services } from '../problem/services.js';
import { CodeImport } from './code-import.js';
import { codeFormats, type CodeFormat } from './code-line.js';

/** Imports of this process at once: each keeps a few chunks in memory and an order service busy. */
const importsMax = 4;

/** Codes as merchants hand them in, and what became of them. Whose sale it is promotion says: the order service does not know drafts. */
@Controller()
export class CodeImportController {
  private running = 0;

  constructor(private readonly services: Services, private readonly clock: PlatformClock) {}

  @Operation('importCodes', { raw: true })
  async importCodes(call: Call): Promise<Answer> {
    const body = streamedBody(call.request);
    const format = codeFormats.find((known) => known === body?.type);
    if (!body || !format) return refuse('UNSUPPORTED_MEDIA_TYPE', 'The body must be text/csv or application/x-ndjson, in UTF-8.');
    const item = await this.voucherItem(call);
    if (!item.ok) return item;
    if (this.running >= importsMax) return refuse('OVERLOADED', 'Too many imports are under way.');
    this.running++;
    const done = takeYourTime(call.request);
    try {
      return await this.run(call, format, body.stream);
    } finally {
      done();
      this.running--;
    }
  }

  @Operation('getCodePool')
  async getCodePool(call: Call): Promise<Answer> {
    const item = await this.voucherItem(call);
    if (!item.ok) return item;
    const pool = await this.services.ask('get-code-pool', { saleId: call.path['id'] ?? '', itemId: item.value.id });
    return 'ok' in pool ? pool : { ok: true, value: pool };
  }

  @Operation('setCodePolicy')
  async setCodePolicy(call: Call<{ onRefund: 'burn' | 'return' }>): Promise<Answer> {
    const item = await this.voucherItem(call);
    if (!item.ok) return item;
    const pool = await this.services.ask('set-code-policy', { actor: call.actor, saleId: call.path['id'] ?? '', itemId: item.value.id, onRefund: call.body.onRefund });
    return 'ok' in pool ? pool : { ok: true, value: pool };
  }

  private async run({ actor, path }: Call, format: CodeFormat, stream: Readable): Promise<Answer> {
    const target = { actor, saleId: path['id'] ?? '', itemId: path['itemId'] ?? '' };
    // Whatever is left unread is Node's to throw away after the answer; destroying it would cut the connection before the answer.
    return new CodeImport(this.services, target, format).run(stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>);
  }

  /** The item, if it is a voucher of a sale of the caller's own that may still need codes. Open orders stay payable after the end. */
  private async voucherItem({ actor, path }: Call<any>): Promise<Outcome<SaleItemView>> {
    const sale = await this.services.ask('get-sale', { actor, saleId: path['id'] ?? '', nowMs: this.clock.nowOrLocalMs() });
    if (!sale.ok) return sale;
    // A merchant who is staff as well may read this sale, but it is not theirs to fill.
    const item = sale.value.merchantId === actor.accountId ? sale.value.items.find(({ id }) => id === path['itemId']) : undefined;
    if (!item) return refuse('NOT_FOUND', 'There is no such item.');
    const reason = item.kind !== 'voucher' ? 'is no voucher' : sale.value.state === 'WITHDRAWN' || sale.value.state === 'REJECTED' ? `belongs to a sale that is ${sale.value.state}` : null;
    return reason ? refuse('INVALID_REQUEST', `The item ${reason}.`, { errors: [{ path: '/path/itemId', message: reason }] }) : { ok: true, value: item };
  }
}
