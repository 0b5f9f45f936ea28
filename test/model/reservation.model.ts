import type { Model, Step } from './explore.js';
import { postgresSteps } from './reservation.postgres.js';
import { redisSteps } from './reservation.redis.js';
import { available, change, free, keyOf, spend, startOf, type Bounds, type Party, type State } from './reservation.state.js';

/** What the protocol does that a wrong one does not. Each can be taken away. */
export type Guard =
  | 'confirm before 202' | 'replay before confirm' | 'nothing undone on a publish error' | 'winner not refused early' | 'epoch check'
  | 'relay and reaper' | 'reaper republishes' | 'reaper'
  | 'arbiter' | 'judged once' | 'tombstone' | 'one commit' | 'take-back through the door' | 'allotment and row in one script'
  | 'versioned sync' | 'fence' | 'load merges' | 'load has closed rows' | 'drain before opening';

/** Takes nothing of the protocol away, or one thing. */
export type Has = (guard: Guard) => boolean;

export const promises = [
  'oversold', 'a unit without an owner', 'a promise taken back', 'a cancelled buyer has an order', 'a winner was told "sold out"',
  'a promised buyer without a fate', 'no answer ever came', 'Redis offers less than Postgres has', 'Redis offers more than Postgres has',
] as const;
export type BrokenPromise = (typeof promises)[number];

/** The reservation protocol of docs/architecture.md: from the reserve script to an order that is paid or closed, and back into Redis. */
export function reservationModel(bounds: Bounds, without: Guard | null = null): Model<State> {
  const has: Has = (guard) => guard !== without && !(bounds.impatient && guard === 'drain before opening');
  return {
    start: startOf(bounds),
    keyOf,
    broken: (state, settled) => excused(broken(state, settled), bounds),
    steps: (state) => [
      ...state.parties.flatMap((party, at) => [...requestSteps(state, party, at, has), ...relaySteps(state, party, at, has), ...postgresSteps(state, party, at, has)]),
      ...redisSteps(state, has),
    ],
  };
}

/** What was promised before Redis lost it can be taken back where the load could not wait: the one exception, and it is not an oversell. */
const excused = (promise: BrokenPromise | null, { impatient = false }: Bounds): BrokenPromise | null =>
  (impatient && (promise === 'a promise taken back' || promise === 'a winner was told "sold out"') ? null : promise);

function broken(state: State, settled: boolean): BrokenPromise | null {
  const { parties, held, sold, allotment } = state;
  if (held + sold > allotment.units) return 'oversold';
  const rows = (row: Party['row']): number => parties.filter((party) => party.row === row).length;
  if (held !== rows('pending') || sold !== rows('paid')) return 'a unit without an owner';
  for (const { promised, cancelled, stage, row, record } of parties) {
    if (promised && row === 'rejected') return 'a promise taken back';
    if (cancelled && (row === 'pending' || row === 'paid')) return 'a cancelled buyer has an order';
    if (stage === 'refused' && (record?.holds || row === 'pending' || row === 'paid')) return 'a winner was told "sold out"';
  }
  if (!settled) return null;
  if (parties.some(({ promised, row }) => promised && row === 'none')) return 'a promised buyer without a fate';
  if (parties.some(({ stage }) => stage === 'reserved' || stage === 'sent')) return 'no answer ever came';
  if (available(state) !== free(state)) return available(state) < free(state) ? 'Redis offers less than Postgres has' : 'Redis offers more than Postgres has';
  return null;
}

/** The door: reserve, have the broker keep it, answer. */
function requestSteps(state: State, party: Party, at: number, has: Has): Step<State>[] {
  const { name, stage, epoch } = party;
  const steps: Step<State>[] = [];
  // What an older epoch reserved is neither published nor promised.
  const stands = !has('epoch check') || (state.selling && epoch === state.epoch);
  if (party.kind === 'operator' && !has('take-back through the door')) return steps;
  if (stage === 'away' && state.selling) steps.push({ name: `${name}: asks`, to: decide(state, party, at, has) });
  if (stage === 'unknown' && state.selling) {
    steps.push({ name: `${name}: asks again`, to: decide(state, party, at, has), kind: 'may' });
    if (!has('winner not refused early') && available(state) === 0) steps.push({ name: `${name}: is refused by the board`, to: change(state, at, { stage: 'refused' }), kind: 'may' });
  }
  if (stage === 'reserved') {
    steps.push(stands ? { name: `${name}: message reaches the broker`, to: change(state, at, { stage: 'sent', queued: enqueue(party) }) } : unknown(state, party, at));
    if (!has('confirm before 202')) steps.push({ name: `${name}: gets 202 before the confirm`, to: change(state, at, told(party)) });
  }
  if (stage === 'sent') {
    const confirmed = { ...party, relay: false };
    steps.push(stands ? { name: `${name}: confirm, 202`, to: change(state, at, { ...told(confirmed), relay: false }) } : unknown(state, confirmed, at));
  }
  if ((stage === 'reserved' || stage === 'sent') && state.faults.interruptions > 0) {
    const undone = has('nothing undone on a publish error') ? {} : { record: null, relay: false };
    steps.push({ name: `${name}: publish fails (${stage === 'sent' ? 'the broker has it' : 'it never arrives'})`, kind: 'may', to: change(state, at, { stage: 'unknown', ...undone }, spend(state, 'interruptions')) });
  }
  return steps;
}

/** The reserve script, the same for everybody. */
function decide(state: State, party: Party, at: number, has: Has): State {
  if (party.record) {
    // A replay waits for the confirm that its first answer never had.
    const unconfirmed = party.record.version === 0 && party.relay && has('replay before confirm');
    return change(state, at, unconfirmed ? { stage: 'reserved', epoch: state.epoch } : told(party));
  }
  if (available(state) < 1) return change(state, at, { stage: 'refused' });
  return change(state, at, { stage: 'reserved', epoch: state.epoch, record: { version: 0, holds: true }, relay: true });
}

/** Who asks again after it is over gets the same 202, which then points at its end: no promise of a unit. */
const told = (party: Party): Partial<Party> => ({ stage: 'told', promised: party.promised || party.row === 'none' || party.row === 'pending' || party.row === 'paid' });

const unknown = (state: State, { name, relay }: Party, at: number): Step<State> =>
  ({ name: `${name}: an older epoch, outcome unknown`, to: change(state, at, { stage: 'unknown', relay }) });

/** More than two of one message show nothing that two do not. */
const enqueue = ({ queued }: Party): number => Math.min(2, queued + 1);

/** Whoever made a reservation may be gone: others see to its message. */
function relaySteps(state: State, party: Party, at: number, has: Has): Step<State>[] {
  const { name, record, relay, queued } = party;
  if (!state.selling || !record || !has('relay and reaper')) return [];
  if (relay) return [{ name: `${name}: relay publishes`, to: change(state, at, { queued: enqueue(party), relay: false }) }];
  // Of what has a row already the reaper would say nothing new.
  const unspoken = record.version === 0 && record.holds && queued === 0 && party.row === 'none';
  if (!unspoken || !has('reaper')) return [];
  return [has('reaper republishes')
    ? { name: `${name}: reaper publishes`, to: change(state, at, { queued: enqueue(party) }) }
    : { name: `${name}: reaper releases`, to: change(state, at, { record: { version: 1, holds: false } }) }];
}
