import { itemId as idOf, type MessageBody } from '@floodgate/contracts';
import { Consume, Database, type DeliveryOf } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { AuditLogStore } from '../audit-log/audit-log.store.js';
import { saleOf, selectSaleSql, type SaleRow } from './sale.rows.js';

/** Notes how operators changed the stock of a sale: its quota as people see it, and who did it in the audit log. */
@Controller()
export class StockConsumer {
  constructor(private readonly database: Database, private readonly auditLog: AuditLogStore) {}

  /** Messages come repeated and out of order: the log has each change once, the quota is that of the highest version. */
  @Consume('promotion.note-stock')
  async note([message]: DeliveryOf<'promotion.note-stock'>[]): Promise<void> {
    const change = message!.body;
    await this.database.transaction(async (tx) => {
      const [row] = await tx.query<SaleRow>(`${selectSaleSql} WHERE id = $1 FOR UPDATE`, [change.saleId]);
      if (!row) throw new Error(`stock of the unknown sale ${change.saleId} has changed`);
      const { items } = saleOf(row);
      const newer = items.map((item, index) => (idOf(change.saleId, index + 1) === change.itemId && change.stockVersion > (item.stockVersion ?? 0)
        ? { ...item, quota: change.quota, stockVersion: change.stockVersion } : item));
      // No new version: what the sale is stays as it was approved, and whoever shows the quota goes by the version of the stock.
      await tx.query('UPDATE sale SET items = $2, updated_at = greatest(updated_at, $3) WHERE id = $1', [change.saleId, JSON.stringify(newer), new Date(change.atMs)]);
      await this.auditLog.noteTold({
        sourceId: change.changeId, atMs: change.atMs, accountId: change.accountId, action: 'change-stock', subject: change.saleId, reason: change.reason, before: stockOf(change, change.quotaBefore, change.stockVersion - 1), after: stockOf(change, change.quota, change.stockVersion),
      }, tx);
    });
  }
}

const stockOf = ({ itemId }: MessageBody<'stock.changed'>, quota: number, stockVersion: number) => ({ stock: { itemId, quota, stockVersion } });
