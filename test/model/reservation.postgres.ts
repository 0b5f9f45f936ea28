import type { Step } from './explore.js';
import type { Has } from './reservation.model.js';
import { change, free, spend, type Holding, type Party, type State, type Sync } from './reservation.state.js';

/** Messages that arrive, and what becomes of an order: each a transaction, with what it has to say to Redis in it. */
export function postgresSteps(state: State, party: Party, at: number, has: Has): Step<State>[] {
  const { name, queued, row, version } = party;
  const steps: Step<State>[] = [];
  if (queued > 0) steps.push({ name: `${name}: ${party.kind === 'buyer' ? 'arbiter judges' : 'take-back is booked'}`, to: judge(state, party, at, has) });
  if (queued === 1 && state.faults.duplicates > 0) steps.push({ name: `${name}: message delivered twice`, kind: 'may', to: change(state, at, { queued: 2 }, spend(state, 'duplicates')) });
  if (queued > 0 && state.faults.messagesLost > 0) steps.push({ name: `${name}: broker loses the message`, kind: 'may', to: change(state, at, { queued: queued - 1 }, spend(state, 'messagesLost')) });
  if (row === 'pending') {
    const closed = (syncs: readonly Sync[]): State => change(state, at, { row: 'closed', version: version + 1, syncs }, { held: state.held - 1 });
    steps.push({ name: `${name}: pays`, to: change(state, at, { row: 'paid', version: version + 1, syncs: [...party.syncs, said(version + 1, true)] }, { held: state.held - 1, sold: state.sold + 1 }) });
    steps.push({ name: `${name}: order is closed`, to: closed([...party.syncs, said(version + 1, false)]) });
    if (!has('one commit') && state.faults.interruptions > 0) steps.push({ name: `${name}: order is closed, death before its message`, kind: 'may', to: { ...closed(party.syncs), ...spend(state, 'interruptions') } });
  }
  if (party.kind === 'buyer' && row === 'none' && state.faults.cancels > 0 && (party.stage === 'told' || party.stage === 'unknown')) {
    steps.push({ name: `${name}: cancels before the order exists`, kind: 'may', to: cancel(state, party, at, has) });
  }
  if (party.kind === 'operator' && !has('take-back through the door') && row === 'none' && free(state) > 0) {
    steps.push({ name: `${name}: takes a unit back in Postgres first`, to: book(state, party, at, has) });
  }
  return steps;
}

const said = (version: number, holds: boolean): Sync => ({ row: { version, holds }, allotment: null });

function judge(state: State, party: Party, at: number, has: Has): State {
  const queued = party.queued - 1;
  // What has a row is decided already.
  if (party.row !== 'none' && has('judged once')) return change(state, at, { queued });
  const arrived = { ...party, queued };
  if (free(state) < 1 && (has('arbiter') || party.kind === 'operator')) return change(state, at, { queued, row: 'rejected', version: 1, syncs: [...party.syncs, said(1, false)] });
  if (party.kind === 'operator') return book(state, arrived, at, has);
  return change(state, at, { queued, row: 'pending', version: 1, syncs: [...party.syncs, said(1, true)] }, { held: state.held + 1 });
}

/** The allotment shrinks, and Redis lets go of the units with it. */
function book(state: State, party: Party, at: number, has: Has): State {
  const allotment = { units: state.allotment.units - 1, version: state.allotment.version + 1 };
  const row: Holding = { version: 1, holds: false };
  const together: Sync[] = [{ row, allotment }];
  const apart: Sync[] = [{ row, allotment: null }, { row: null, allotment }];
  return change(state, at, { queued: party.queued, row: 'booked', version: 1, syncs: [...party.syncs, ...(has('allotment and row in one script') ? together : apart)] }, { allotment });
}

/** With the tombstone a late message finds its fate decided. */
function cancel(state: State, party: Party, at: number, has: Has): State {
  const decided: Partial<Party> = has('tombstone')
    ? { row: 'closed', version: 1, syncs: [...party.syncs, said(1, false)] }
    : { record: party.record && { version: 1, holds: false } };
  return change(state, at, { cancelled: true, ...decided }, spend(state, 'cancels'));
}
