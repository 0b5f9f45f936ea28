import type { Actor } from '@floodgate/contracts';

/** Merchants see their own sales (another's does not exist for them), the other staff roles see all. The gateway checked that it is staff. */
export const maySeeSale = (actor: Actor, sale: { merchantId: string }): boolean =>
  actor.roles.some((role) => role === 'approver' || role === 'operator' || role === 'auditor')
  || (actor.roles.includes('merchant') && sale.merchantId === actor.accountId);
