import type { BrokenMoney, MoneyBounds, PaymentGuard } from './payment.model.js';
import type { BrokenPromise, Guard } from './reservation.model.js';
import type { Bounds } from './reservation.state.js';

interface World<B> {
  readonly what: string;
  /** Explored in every test run. */
  readonly small: B;
  /** Explored by `npm run model`. */
  readonly large: B;
}

/** What may go wrong together. In each of them the whole protocol keeps every promise. */
export const reservationWorlds = {
  messages: {
    what: 'publishes fail, processes die, messages come twice (by the relay; in the large bounds by the broker too)',
    small: { buyers: 2, units: 1, faults: { interruptions: 1 } },
    large: { buyers: 2, units: 1, faults: { interruptions: 2, duplicates: 2 } },
  },
  cancels: {
    what: 'buyers cancel before their order exists',
    small: { buyers: 2, units: 1, faults: { cancels: 1 } },
    large: { buyers: 2, units: 1, faults: { interruptions: 1, duplicates: 1, cancels: 2 } },
  },
  'lost messages': {
    what: 'the broker loses what it had confirmed, Redis restarts with all it had',
    small: { buyers: 2, units: 1, faults: { messagesLost: 1, redisRestarts: 1 } },
    large: { buyers: 2, units: 1, faults: { messagesLost: 1, redisRestarts: 1, interruptions: 1 } },
  },
  'Redis emptied': {
    what: 'Redis loses everything, publishes fail, processes die',
    small: { buyers: 2, units: 1, faults: { redisEmptied: 1, interruptions: 1 } },
    large: { buyers: 2, units: 1, faults: { redisEmptied: 1, redisRestarts: 1, interruptions: 1, duplicates: 1 } },
  },
  'Redis rolled back': {
    what: 'Redis comes back with an older file',
    small: { buyers: 1, units: 1, faults: { redisRolledBack: 1, interruptions: 1 } },
    large: { buyers: 2, units: 1, faults: { redisRolledBack: 1, interruptions: 1 } },
  },
  'load in a hurry': {
    what: 'the same as when Redis is emptied, and the load opens before everything is judged',
    small: { buyers: 2, units: 1, impatient: true, faults: { redisEmptied: 1 } },
    large: { buyers: 2, units: 1, impatient: true, faults: { redisEmptied: 1, interruptions: 1, duplicates: 1 } },
  },
  'take-back': {
    what: 'an operator takes a unit out of the sale',
    small: { buyers: 1, units: 1, operator: true, faults: { interruptions: 1 } },
    large: { buyers: 2, units: 2, operator: true, faults: { interruptions: 1 } },
  },
  'more units': {
    what: 'a unit for each of two buyers; in the large bounds two for three',
    small: { buyers: 2, units: 2, faults: { interruptions: 1 } },
    large: { buyers: 3, units: 2, faults: { interruptions: 1 } },
  },
} as const satisfies Record<string, World<Bounds>>;

/** What each guard is for: the world in which it is missed, and the promise that breaks there. */
export const reservationGuards: Record<Guard, { world: keyof typeof reservationWorlds; breaks: BrokenPromise }> = {
  'confirm before 202':                 { world: 'Redis emptied',   breaks: 'a promised buyer without a fate' },
  'replay before confirm':              { world: 'Redis emptied',   breaks: 'a promised buyer without a fate' },
  'nothing undone on a publish error':  { world: 'messages',        breaks: 'a winner was told "sold out"' },
  'winner not refused early':           { world: 'messages',        breaks: 'a winner was told "sold out"' },
  'epoch check':                        { world: 'Redis emptied',   breaks: 'a winner was told "sold out"' },
  'relay and reaper':                   { world: 'messages',        breaks: 'Redis offers less than Postgres has' },
  'reaper':                             { world: 'lost messages',   breaks: 'a promised buyer without a fate' },
  'reaper republishes':                 { world: 'lost messages',   breaks: 'a promised buyer without a fate' },
  'arbiter':                            { world: 'load in a hurry', breaks: 'oversold' },
  'judged once':                        { world: 'messages',        breaks: 'a unit without an owner' },
  'tombstone':                          { world: 'cancels',         breaks: 'a cancelled buyer has an order' },
  'one commit':                         { world: 'messages',        breaks: 'Redis offers less than Postgres has' },
  'take-back through the door':         { world: 'take-back',       breaks: 'a promise taken back' },
  'allotment and row in one script':    { world: 'take-back',       breaks: 'a promise taken back' },
  'versioned sync':                     { world: 'messages',        breaks: 'Redis offers less than Postgres has' },
  'fence':                              { world: 'Redis emptied',   breaks: 'a winner was told "sold out"' },
  'load merges':                        { world: 'lost messages',   breaks: 'a promised buyer without a fate' },
  'load has closed rows':               { world: 'Redis emptied',   breaks: 'Redis offers less than Postgres has' },
  'drain before opening':               { world: 'Redis emptied',   breaks: 'a winner was told "sold out"' },
};

const moneyFaults = { duplicates: 1, repliesLost: 1, lastWords: 1 };
export const paymentWorlds = {
  refund: {
    what: 'late money is refunded; notices come twice, answers are lost, the provider captures what it called closed',
    small: { latePayment: 'refund', faults: moneyFaults },
    large: { latePayment: 'refund', faults: { duplicates: 3, repliesLost: 2, lastWords: 1 } },
  },
  reacquire: {
    what: 'late money takes another unit, if there is one; the same faults',
    small: { latePayment: 'reacquire', faults: moneyFaults },
    large: { latePayment: 'reacquire', faults: { duplicates: 3, repliesLost: 2, lastWords: 1 } },
  },
} as const satisfies Record<string, World<MoneyBounds>>;

export const paymentGuards: Record<PaymentGuard, { world: keyof typeof paymentWorlds; breaks: BrokenMoney }> = {
  'compare-and-set':                  { world: 'refund',    breaks: 'money without an end' },
  'provider asked first':             { world: 'refund',    breaks: 'money came late without need' },
  'late money has an end':            { world: 'refund',    breaks: 'money without an end' },
  'notice judged once':               { world: 'refund',    breaks: 'paid and refunded' },
  'late money through the door':      { world: 'reacquire', breaks: 'a promise taken back' },
  'tombstone of a given-up question': { world: 'reacquire', breaks: 'a refunded buyer has an order' },
};
