import type { Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { numbers, texts } from '../ledger/sql-array.js';
import type { Limits, Wanted } from './decide.js';

/**
 * Units that each account holds or has paid, where a limit counts them: limits hold although Redis has forgotten everything.
 * An account has one lane in a sale, so the lane's lock guards these rows too. Without limits there are no rows and no statements.
 */
@Injectable()
export class AccountUsageStore {
  /** What the accounts use now: a function of account and item ('' = the whole sale). */
  async read(tx: Transaction, saleId: string, limits: Limits, attempts: readonly Wanted[]): Promise<(accountId: string, itemId: string) => number> {
    const counted = attempts.filter((attempt) => countedUnits(limits, attempt).length > 0).map((attempt) => attempt.accountId);
    if (counted.length === 0) return () => 0;
    const rows = await tx.query<{ accountId: string; itemId: string; units: number }>({
      name: 'usage-read',
      text: 'SELECT account_id AS "accountId", item_id AS "itemId", units FROM account_usage WHERE sale_id = $1 AND account_id = ANY($2)',
      values: [saleId, texts([...new Set(counted)])],
    });
    const used = new Map(rows.map((row) => [`${row.accountId}/${row.itemId}`, row.units]));
    return (accountId, itemId) => used.get(`${accountId}/${itemId}`) ?? 0;
  }

  /** Counts what these attempts hold (+1), or hold no longer (-1). */
  async move(tx: Transaction, saleId: string, limits: Limits, attempts: readonly Wanted[], sign: 1 | -1): Promise<void> {
    const sums = new Map<string, { accountId: string; itemId: string; units: number }>();
    for (const attempt of attempts) {
      for (const { itemId, units } of countedUnits(limits, attempt)) {
        const key = `${attempt.accountId}/${itemId}`;
        const sum = sums.get(key) ?? { accountId: attempt.accountId, itemId, units: 0 };
        sums.set(key, { ...sum, units: sum.units + units });
      }
    }
    if (sums.size === 0) return;
    const rows = [...sums.values()];
    await tx.query({
      name: sign > 0 ? 'usage-add' : 'usage-subtract',
      text: sign > 0
        ? `INSERT INTO account_usage AS u (sale_id, account_id, item_id, units) SELECT $1, n.* FROM unnest($2::text[], $3::text[], $4::int[]) AS n (account_id, item_id, units)
           ON CONFLICT (sale_id, account_id, item_id) DO UPDATE SET units = u.units + excluded.units`
        : `UPDATE account_usage u SET units = u.units - n.units FROM unnest($2::text[], $3::text[], $4::int[]) AS n (account_id, item_id, units)
           WHERE u.sale_id = $1 AND u.account_id = n.account_id AND u.item_id = n.item_id`,
      values: [saleId, texts(rows.map((row) => row.accountId)), texts(rows.map((row) => row.itemId)), numbers(rows.map((row) => row.units))],
    });
  }
}

function countedUnits(limits: Limits, attempt: Wanted): { itemId: string; units: number }[] {
  const counted = attempt.items.filter((item) => limits.perItem(item.itemId) !== null).map((item) => ({ itemId: item.itemId, units: item.quantity }));
  if (limits.perSale !== null) counted.push({ itemId: '', units: attempt.items.reduce((sum, item) => sum + item.quantity, 0) });
  return counted;
}
