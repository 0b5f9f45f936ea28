import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { View } from '@floodgate/contracts';
import { Database, isoTime, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { genesisHash } from './entry-hash.js';
import { ExportStore, type ExportRow, type ExportSource, type ItemUnits, type SalePolicy } from './export.store.js';
import { sealedAtOnceMax, SealStore, type ChainHead } from './seal.store.js';

/** Of the certificate and the files; a program that verifies another format must say so. */
const format = 'floodgate-certificate/1';
const files = { ledger: 'ledger.ndjson', orders: 'orders.ndjson', payments: 'payments.ndjson' } as const satisfies Record<ExportSource, string>;
/** Lines of one page: about a hundred kilobytes, a message that no broker minds. */
const linesAtOnce = 500;

/** What the certificate says of a file, so that one which was cut short is not taken for a short one. */
interface FileDigest {
  lines: number;
  bytes: number;
  sha256: string;
}

/** Makes of a sale what somebody else can verify, elsewhere and without us. */
@Injectable()
export class SaleExporter {
  constructor(private readonly database: Database, private readonly seals: SealStore, private readonly store: ExportStore) {}

  /** An export of this moment: its first page. Null: no such sale. */
  async make(saleId: string): Promise<View.SaleExportView | null> {
    while ((await this.seals.sealNext(saleId)) === sealedAtOnceMax);
    const exportId = await this.database.transaction((tx) => this.write(tx, saleId), { isolation: 'repeatable read' });
    return exportId === null ? null : this.store.page(saleId, exportId, 1);
  }

  /** Another page of an export. Null: no such page. */
  async page(saleId: string, cursor: string): Promise<View.SaleExportView | null> {
    const [, exportId = '', number = ''] = /^(exp-[\w-]{16})\.([1-9]\d{0,7})$/.exec(cursor) ?? [];
    return exportId === '' ? null : this.store.page(saleId, exportId, Number(number));
  }

  /** All of it of one snapshot: what came to the ledger since the last seal is sealed in it, or the orders would know more than the chain. */
  private async write(tx: Transaction, saleId: string): Promise<string | null> {
    await this.seals.lock(tx, saleId);
    while ((await this.seals.sealIn(tx, saleId)) > 0);
    const policy = await this.store.policy(tx, saleId);
    if (!policy) return null;
    const exportId = `exp-${randomBytes(12).toString('base64url')}`;
    const digests: Record<string, FileDigest> = {};
    let pages = 0;
    for (const [source, file] of Object.entries(files) as [ExportSource, string][]) {
      const digest = createHash('sha256');
      const sizes = { lines: 0, bytes: 0 };
      const addPage = async (lines: readonly string[]) => {
        const text = lines.map((line) => `${line}\n`).join('');
        digest.update(text);
        sizes.lines += lines.length;
        sizes.bytes += Buffer.byteLength(text);
        await this.store.addPage(tx, exportId, ++pages, file, text);
      };
      for await (const rows of this.store.rows(tx, saleId, source)) {
        for (let at = 0; at < rows.length; at += linesAtOnce) await addPage(rows.slice(at, at + linesAtOnce).map((row) => JSON.stringify(shown(row, policy))));
      }
      if (sizes.lines === 0) await addPage([]);
      digests[file] = { ...sizes, sha256: digest.digest('hex') };
    }
    await this.store.add(tx, exportId, saleId, certificate(saleId, policy, await this.store.items(tx, saleId), await this.seals.head(tx, saleId), digests));
    return exportId;
  }
}

/** A row as it goes out. An account is a pseudonym of this sale alone: the same account has the same one, and only who has the sale's secret can tell whose. */
function shown({ accountId, ...row }: ExportRow, { ridSecret }: SalePolicy): Record<string, unknown> {
  if (accountId === undefined) return row;
  return { ...row, account: createHmac('sha256', Buffer.from(ridSecret, 'hex')).update(`account in export: ${accountId}`).digest('hex').slice(0, 32) };
}

function certificate(saleId: string, policy: SalePolicy, items: readonly ItemUnits[], head: ChainHead, digests: Record<string, FileDigest>): object {
  const { opensAtMs, closesAtMs, paymentWindowMs, latePayment, currency, perAccount, perIp, lanes, state, version, nowMs } = policy;
  return {
    format, saleId, exportedAt: isoTime(nowMs), versions: { chain: 1, sale: version },
    policy: { state, opensAt: isoTime(opensAtMs), closesAt: isoTime(closesAtMs), paymentWindowSeconds: paymentWindowMs / 1_000, latePayment, currency, limits: { perAccount, perIp }, lanes },
    items, chain: { genesis: genesisHash(saleId), entries: head.number, head: head.hash }, files: digests,
  };
}
