/** A sale is put into Redis this long before it opens: early enough to repair what goes wrong, late enough not to crowd Redis with sales of next month. */
export const armLeadMs = 10 * 60_000;

/**
 * How long to wait for `sale.armed` before asking again: a lost arming heals itself, while a large sale that is still loading is
 * not asked for over and over.
 * @param asks how often it was asked already, 1 and up
 */
export const armAgainAfterMs = (asks: number): number => Math.min(5_000 * 2 ** (asks - 1), 30_000);

/** How long a sale that its checklist holds back waits for the next look: whoever mends what is wrong sees it armed within moments. */
export const checkAgainAfterMs = 3_000;
