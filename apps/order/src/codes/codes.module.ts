import { Module } from '@nestjs/common';
import { AuditLogModule } from '../audit-log/audit-log.module.js';
import { IdempotencyModule } from '../idempotency/idempotency.module.js';
import { OrderModule } from '../order/order.module.js';
import { SaleStoreModule } from '../sale/sale-store.module.js';
import { CodeController } from './code.controller.js';
import { CodeDispenser } from './code-dispenser.js';
import { CodeIssuer } from './code-issuer.js';
import { CodePolicy } from './code-policy.js';
import { ImportCodes } from './import-codes.js';
import { CodeStores, IssueCodes } from './issue-codes.js';
import { ManageCodes, OrderCodes } from './manage-codes.js';

/** Redemption codes: imported, issued to paid orders, redeemed, replaced. */
@Module({
  imports: [AuditLogModule, IdempotencyModule, OrderModule, SaleStoreModule],
  controllers: [CodeController],
  providers: [CodeDispenser, CodeIssuer, CodePolicy, CodeStores, ImportCodes, IssueCodes, ManageCodes, OrderCodes],
})
export class CodesModule {}
