import type { Sale } from './sale.entity.js';

/** A sale is put into Redis this long before it opens: early enough to repair what goes wrong, late enough not to crowd Redis with sales of next month. */
export const armLeadMs = 10 * 60_000;

/**
 * How long to wait for `sale.armed` before asking again: a lost arming heals itself, while a large sale that is still loading is
 * not asked for over and over.
 * @param asks how often it was asked already, 1 and up
 */
export const armAgainAfterMs = (asks: number): number => Math.min(5_000 * 2 ** (asks - 1), 30_000);

/** Whether the time to arm has come. */
export const isArmDue = (sale: Pick<Sale, 'opensAtMs'>, nowMs: number): boolean => nowMs >= sale.opensAtMs - armLeadMs;
