import { AddCloseError1765000005001 } from './add-close-error.migration.js';
import { AddFulfilledState1765000001000 } from './add-fulfilled-state.migration.js';
import { AddLedgerSeals1765000009001 } from './add-ledger-seals.migration.js';
import { AddLatePayments1765000001001 } from './add-late-payments.migration.js';
import { AddOutboxOrigin1765000011001 } from './add-outbox-origin.migration.js';
import { AddSaleExports1765000009002 } from './add-sale-exports.migration.js';
import { AddStockChanges1765000003001 } from './add-stock-changes.migration.js';
import { AddWarehouseBlocks1765000003003 } from './add-warehouse-blocks.migration.js';
import { CreateCodeTables1765000004001 } from './create-code-tables.migration.js';
import { CreateOrderTables1764000000002 } from './create-order-tables.migration.js';
import { CreatePaymentTables1764000000003 } from './create-payment-tables.migration.js';
import { CreateSaleTables1764000000001 } from './create-sale-tables.migration.js';
import { CreateSettlementTables1765000002001 } from './create-settlement-tables.migration.js';
import { CreateStripeSessionTable1765000002002 } from './create-stripe-session-table.migration.js';

/** In the order they run; a migration that was released is never edited. */
export const migrations = [
  CreateSaleTables1764000000001, CreateOrderTables1764000000002, CreatePaymentTables1764000000003,
  AddFulfilledState1765000001000, AddLatePayments1765000001001, CreateSettlementTables1765000002001,
  CreateStripeSessionTable1765000002002, AddStockChanges1765000003001, AddWarehouseBlocks1765000003003, CreateCodeTables1765000004001,
  AddCloseError1765000005001, AddLedgerSeals1765000009001, AddSaleExports1765000009002,
  AddOutboxOrigin1765000011001,
];
