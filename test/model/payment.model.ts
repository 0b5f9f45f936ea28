import { nextPaymentState, paymentRace, type PaymentState, type RaceState } from '../../apps/order/src/payment/payment-race.js';
import type { Model, Step } from './explore.js';

export type PaymentGuard = 'compare-and-set' | 'provider asked first' | 'late money has an end' | 'notice judged once' | 'late money through the door' | 'tombstone of a given-up question';

export const paymentPromises = [
  'refunded twice', 'paid and refunded', 'a unit with two owners', 'a promise taken back', 'a refunded buyer has an order', 'money came late without need', 'money without an end',
] as const;
export type BrokenMoney = (typeof paymentPromises)[number];

type Fault = 'duplicates' | 'repliesLost' | 'lastWords';

/** One order of one unit, its payment, the provider's own book, and somebody else who wants the unit. */
export interface Money {
  readonly provider: 'open' | 'closed' | 'captured' | 'refunded';
  /** "Captured", under way to us. */
  readonly notices: number;
  readonly payment: PaymentState;
  readonly order: RaceState;
  readonly refunds: number;
  /** Money that came after the order was closed. `unsure`: the door was asked for another unit, and no answer came. */
  readonly late: 'none' | 'waiting' | 'unsure' | 'ended';
  /** The order that late money is for. `held`: only the door knows of it yet. */
  readonly fresh: 'none' | 'held' | 'PENDING' | 'PAID' | 'CLOSED';
  readonly rival: 'away' | 'promised' | 'ordered' | 'rejected';
  readonly left: Readonly<Record<Fault, number>>;
}

export interface MoneyBounds {
  readonly latePayment: 'refund' | 'reacquire';
  readonly faults: Partial<Record<Fault, number>>;
}

type Has = (guard: PaymentGuard) => boolean;

/** The race between a payment and the end of its time, decided by the very table that the order service uses. */
export function paymentModel({ latePayment, faults }: MoneyBounds, without: PaymentGuard | null = null): Model<Money> {
  const has: Has = (guard) => guard !== without;
  return {
    start: {
      provider: 'open', notices: 0, payment: 'OPEN', order: 'PENDING', refunds: 0, late: 'none', fresh: 'none', rival: 'away',
      left: { duplicates: 0, repliesLost: 0, lastWords: 0, ...faults },
    },
    keyOf: ({ left, ...rest }) => `${Object.values(rest).join('|')}|${Object.values(left).join('')}`,
    broken,
    steps: (state) => [...providerSteps(state), ...noticeSteps(state, latePayment, has), ...sweeperSteps(state, latePayment, has), ...lateSteps(state, has), ...rivalSteps(state)],
  };
}

const ours = (order: RaceState): boolean => order === 'PENDING' || order === 'CLOSING' || order === 'PAID';

function broken(state: Money, settled: boolean): BrokenMoney | null {
  const { provider, order, refunds, late, fresh, rival, left } = state;
  const isPaid = order === 'PAID' || fresh === 'PAID';
  if (refunds > 1) return 'refunded twice';
  if (isPaid && refunds > 0) return 'paid and refunded';
  if ([ours(order), fresh === 'PENDING' || fresh === 'PAID', rival === 'ordered'].filter(Boolean).length > 1) return 'a unit with two owners';
  if (rival === 'rejected') return 'a promise taken back';
  if (refunds > 0 && fresh === 'PENDING') return 'a refunded buyer has an order';
  if ((refunds > 0 || late !== 'none') && left.lastWords > 0) return 'money came late without need';
  if (settled && (provider === 'captured' || provider === 'refunded') && !isPaid && refunds === 0) return 'money without an end';
  return null;
}

const spend = ({ left }: Money, fault: Fault): Partial<Money> => ({ left: { ...left, [fault]: left[fault] - 1 } });

function providerSteps(state: Money): Step<Money>[] {
  const { provider, notices, refunds, left } = state;
  const steps: Step<Money>[] = [];
  if (provider === 'open') steps.push({ name: 'buyer pays', kind: 'may', to: { ...state, provider: 'captured', notices: notices + 1 } });
  if (provider === 'closed' && left.lastWords > 0) steps.push({ name: 'provider captures what it called closed', kind: 'may', to: { ...state, provider: 'captured', notices: notices + 1, ...spend(state, 'lastWords') } });
  if (provider === 'captured' && refunds > 0) steps.push({ name: 'provider gives the money back', to: { ...state, provider: 'refunded', payment: 'REFUNDED' } });
  if (notices === 1 && left.duplicates > 0) steps.push({ name: 'notice is sent twice', kind: 'may', to: { ...state, notices: 2, ...spend(state, 'duplicates') } });
  return steps;
}

function noticeSteps(state: Money, latePayment: MoneyBounds['latePayment'], has: Has): Step<Money>[] {
  if (state.notices === 0) return [];
  return [{ name: 'notice arrives', to: captured({ ...state, notices: state.notices - 1 }, latePayment, has) }];
}

/** What the table says. */
function captured(state: Money, latePayment: MoneyBounds['latePayment'], has: Has): Money {
  const next = nextPaymentState(state.payment, 'captured');
  if (next === null && has('notice judged once')) return state;
  const moved = { ...state, payment: next ?? state.payment };
  const action = has('compare-and-set') ? paymentRace[state.order].captured : 'mark-paid';
  if (action === 'mark-paid') return { ...moved, order: 'PAID' };
  if (!has('late money has an end')) return moved;
  return action === 'late' && latePayment === 'reacquire' ? { ...moved, late: 'waiting' } : { ...moved, refunds: state.refunds + 1 };
}

function sweeperSteps(state: Money, latePayment: MoneyBounds['latePayment'], has: Has): Step<Money>[] {
  const { order, provider, left } = state;
  const closed: Money = { ...state, order: 'CLOSED payment-timeout', payment: state.payment === 'OPEN' ? 'CLOSED' : state.payment };
  if (order === 'PENDING') return [{ name: 'time is over', to: { ...state, order: 'CLOSING' } }];
  if (order === 'PAID' && !has('compare-and-set')) return [{ name: 'order is closed, as it was read before', kind: 'may', to: closed }];
  if (order !== 'CLOSING') return [];
  if (!has('provider asked first')) return [{ name: 'order is closed', to: closed }];
  const steps: Step<Money>[] = [{
    name: 'provider is asked to close',
    to: provider === 'captured' ? captured(state, latePayment, has) : { ...closed, provider: 'closed' },
  }];
  if (provider === 'open' && left.repliesLost > 0) steps.push({ name: 'provider closes, its answer is lost', kind: 'may', to: { ...state, provider: 'closed', ...spend(state, 'repliesLost') } });
  return steps;
}

/** Free for the door: nobody holds it there, and nobody holds it in Postgres. */
const isFree = ({ order, fresh, rival }: Money): boolean => !ours(order) && (fresh === 'none' || fresh === 'CLOSED') && (rival === 'away' || rival === 'rejected');

function lateSteps(state: Money, has: Has): Step<Money>[] {
  const { late, fresh, rival, left } = state;
  const steps: Step<Money>[] = [];
  const refund = { refunds: state.refunds + 1, late: 'ended' as const };
  if (fresh === 'held') steps.push({ name: 'arbiter makes the new order', to: { ...state, fresh: 'PENDING' } });
  if (late !== 'waiting' && late !== 'unsure') return fresh === 'PENDING' ? [...steps, { name: 'new order is closed', to: { ...state, fresh: 'CLOSED' } }] : steps;
  if (fresh === 'PENDING') {
    steps.push({ name: 'late money pays the new order', to: { ...state, fresh: 'PAID', late: 'ended' } }, { name: 'new order is closed', kind: 'may', to: { ...state, fresh: 'CLOSED' } });
  }
  if (fresh === 'CLOSED') steps.push({ name: 'late money is given back', to: { ...state, ...refund } });
  if (late === 'waiting' && fresh === 'none') {
    if (!has('late money through the door')) return [...steps, rival === 'ordered' ? { name: 'late money is given back', to: { ...state, ...refund } } : { name: 'late money takes a unit in Postgres', to: { ...state, fresh: 'PAID', late: 'ended' } }];
    if (!isFree(state)) return [...steps, { name: 'door has nothing, late money is given back', to: { ...state, ...refund } }];
    steps.push({ name: 'door gives a unit for late money', to: { ...state, fresh: 'held' } });
    if (left.repliesLost > 0) steps.push({ name: 'door gives a unit, its answer is lost', kind: 'may', to: { ...state, fresh: 'held', late: 'unsure', ...spend(state, 'repliesLost') } });
  }
  if (late === 'unsure' && fresh === 'held') {
    const buried = has('tombstone of a given-up question') ? { fresh: 'CLOSED' as const } : {};
    steps.push({ name: 'door is asked no more, late money is given back', kind: 'may', to: { ...state, ...buried, ...refund } });
  }
  return steps;
}

function rivalSteps(state: Money): Step<Money>[] {
  const { rival, order, fresh } = state;
  if (rival === 'away' && isFree(state)) return [{ name: 'somebody else is promised the unit', kind: 'may', to: { ...state, rival: 'promised' } }];
  if (rival !== 'promised') return [];
  const has = !ours(order) && fresh !== 'PENDING' && fresh !== 'PAID';
  return [{ name: 'arbiter judges somebody else', to: { ...state, rival: has ? 'ordered' : 'rejected' } }];
}
