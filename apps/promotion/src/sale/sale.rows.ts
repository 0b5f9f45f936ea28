import type { StoredSaleState } from '@floodgate/contracts';
import { isoTime } from '@floodgate/platform';
import type { Sale, SaleContent, SaleItem } from './sale.entity.js';

/** A row of table `sale` as the driver gives it: times as dates. */
export interface SaleRow {
  id: string;
  position: number;
  merchant_id: string;
  state: StoredSaleState;
  version: number;
  title: string;
  mode: SaleContent['mode'];
  opens_at: Date;
  closes_at: Date;
  payment_window_seconds: number;
  late_payment: SaleContent['latePayment'];
  limits: SaleContent['limits'];
  challenge: SaleContent['challenge'];
  audience: SaleContent['audience'];
  items: SaleItem[];
  rid_secret: string;
  edited_by: string;
  submitted_by: string | null;
  approved_by: string | null;
  arm_error: string | null;
  arm_asks: number;
  created_at: Date;
  updated_at: Date;
}

/** What a sale is born with, and what changes: a column and its value, so that no statement can mix up the order. */
const bornWith = {
  id: (sale: Sale) => sale.id,
  merchant_id: (sale: Sale) => sale.merchantId,
  rid_secret: (sale: Sale) => sale.ridSecret,
  created_at: (sale: Sale) => new Date(sale.createdAtMs),
};
const changing = {
  state: (sale: Sale) => sale.state,
  version: (sale: Sale) => sale.version,
  title: (sale: Sale) => sale.title,
  mode: (sale: Sale) => sale.mode,
  opens_at: (sale: Sale) => new Date(sale.opensAtMs),
  closes_at: (sale: Sale) => new Date(sale.closesAtMs),
  payment_window_seconds: (sale: Sale) => sale.paymentWindowSeconds,
  late_payment: (sale: Sale) => sale.latePayment,
  limits: (sale: Sale) => JSON.stringify(sale.limits),
  challenge: (sale: Sale) => sale.challenge,
  audience: (sale: Sale) => sale.audience && JSON.stringify(sale.audience),
  items: (sale: Sale) => JSON.stringify(sale.items),
  edited_by: (sale: Sale) => sale.editedBy,
  submitted_by: (sale: Sale) => sale.submittedBy,
  approved_by: (sale: Sale) => sale.approvedBy,
  arm_error: (sale: Sale) => sale.armError,
  updated_at: (sale: Sale) => new Date(sale.updatedAtMs),
};

interface Statement {
  text: string;
  values: unknown[];
}

export const selectSaleSql = `SELECT position, arm_asks, ${Object.keys({ ...bornWith, ...changing }).join(', ')} FROM sale`;

export const publishedSql = `${selectSaleSql}
WHERE state NOT IN ('DRAFT', 'SUBMITTED', 'REJECTED') AND id > $1 AND closes_at > $2
ORDER BY id LIMIT $3`;

export function insertSale(sale: Sale): Statement {
  const columns = { ...bornWith, ...changing };
  const places = Object.keys(columns).map((_, index) => `$${index + 1}`);
  return {
    text: `INSERT INTO sale (${Object.keys(columns).join(', ')}) VALUES (${places.join(', ')})`,
    values: Object.values(columns).map((value) => value(sale)),
  };
}

export function updateSale(sale: Sale): Statement {
  const settings = Object.keys(changing).map((column, index) => `${column} = $${index + 2}`);
  return {
    text: `UPDATE sale SET ${settings.join(', ')} WHERE id = $1`,
    values: [sale.id, ...Object.values(changing).map((value) => value(sale))],
  };
}

export function saleOf(row: SaleRow): Sale {
  return {
    id: row.id,
    state: row.state,
    version: row.version,
    title: row.title,
    merchantId: row.merchant_id,
    mode: row.mode,
    opensAtMs: row.opens_at.getTime(),
    closesAtMs: row.closes_at.getTime(),
    paymentWindowSeconds: row.payment_window_seconds,
    latePayment: row.late_payment,
    limits: row.limits,
    challenge: row.challenge,
    audience: row.audience,
    items: row.items,
    editedBy: row.edited_by,
    submittedBy: row.submitted_by,
    approvedBy: row.approved_by,
    armError: row.arm_error,
    ridSecret: row.rid_secret,
    createdAtMs: row.created_at.getTime(),
    updatedAtMs: row.updated_at.getTime(),
  };
}

/** What the audit log compares: everything but the secret. */
export function auditedPart(sale: Sale): Record<string, unknown> {
  const { ridSecret: _secret, createdAtMs: _birth, updatedAtMs: _write, opensAtMs, closesAtMs, audience, ...rest } = sale;
  // A list of a megabyte would be no help to anybody who reads the log.
  const shown = audience && { accounts: audience.accounts.length, byCode: audience.byCode };
  return { ...rest, audience: shown, opensAt: isoTime(opensAtMs), closesAt: isoTime(closesAtMs) };
}
