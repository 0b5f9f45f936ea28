import type { Offer } from '../scenario/make-sale.js';
import type { Scenario } from '../scenario/scenario-file.js';
import type { OfferedItem } from '../scenario/stock-rules.js';

/** What is sold, how fast buyers come, and what they do with what they get. */
export interface Terms extends Pick<Scenario, 'fates' | 'manners'> {
  readonly name: string;
  readonly title: string;
  readonly latePayment: NonNullable<Offer['sale']['latePayment']>;
  readonly paymentWindowSeconds: number;
  readonly items: readonly OfferedItem[];
  /** Buyers. */
  readonly perSecond: number;
  /** Of the buyers send their key again, or another key. */
  readonly keyAgainShare: number;
  readonly otherKeyShare: number;
}

const item = (sku: string, quota: number, weight: number): OfferedItem => ({ sku, title: `Item ${sku}`, price: 425, quota, perAccount: 1, weight });
const manners = (share: number, delayMs: [number, number]): Scenario['manners'] => ({
  thinkMs: [50, 2_500], eventsShare: 0.2, cancelAtOnceShare: 0.4, openPageAndLeaveShare: 0, lateCapture: { share, delayMs }, repeatedCallback: { share: 0.1, times: 1 },
});
/** More than any run sells; and few enough to be sold out, given back and sold again all the time. */
const plenty = 100_000;
const few = 40;

/** Where most of the buyers are: some things are there for everybody, some are always sold out. */
export const mainTerms = (perSecond: number): Terms => ({
  name: 'main', title: 'Sale under attack', latePayment: 'refund', paymentWindowSeconds: 8, perSecond, keyAgainShare: 0.15, otherKeyShare: 0.05,
  items: [item('plenty', plenty, 0.8), item('few', few, 0.2)],
  fates: { pay: 0.5, lapse: 0.2, cancel: 0.2, decline: 0.1 }, manners: manners(0.25, [2_000, 14_000]),
});

/** Where money comes late as a rule, and buys its units again. */
export const lateTerms: Terms = {
  name: 'late', title: 'Sale whose buyers pay late', latePayment: 'reacquire', paymentWindowSeconds: 8, perSecond: 3, keyAgainShare: 0.1, otherKeyShare: 0,
  items: [item('late', plenty, 1)],
  fates: { pay: 0.9, lapse: 0.05, cancel: 0.05, decline: 0 }, manners: manners(0.7, [8_000, 12_000]),
};

/** Where an operator takes everything back in the middle. */
export const withdrawnTerms = (nth: number): Terms => ({
  name: `withdrawn-${nth}`, title: 'Sale to be withdrawn', latePayment: 'refund', paymentWindowSeconds: 30, perSecond: 1, keyAgainShare: 0.2, otherKeyShare: 0,
  items: [item('withdrawn', plenty, 1)],
  fates: { pay: 0.7, lapse: 0.2, cancel: 0.1, decline: 0 }, manners: manners(0, [0, 0]),
});

/** Whose operator pauses it and changes its stock. */
export const operatedTerms: Terms = {
  name: 'operated', title: 'Sale with a restless operator', latePayment: 'refund', paymentWindowSeconds: 6, perSecond: 3, keyAgainShare: 0.1, otherKeyShare: 0.1,
  items: [item('more-or-less', few, 0.5), item('less-or-more', few, 0.5)],
  fates: { pay: 0.3, lapse: 0.3, cancel: 0.4, decline: 0 }, manners: manners(0, [0, 0]),
};
