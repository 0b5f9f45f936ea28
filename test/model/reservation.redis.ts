import type { Step } from './explore.js';
import type { Has } from './reservation.model.js';
import { change, changeAll, spend, type Party, type State, type Sync } from './reservation.state.js';

/** What reaches Redis from Postgres, what befalls Redis, and how it comes back. */
export function redisSteps(state: State, has: Has): Step<State>[] {
  const syncs = state.parties.flatMap((party, at) => party.syncs.flatMap((sync, index): Step<State>[] => [
    { name: `${party.name}: Redis hears of ${wordOf(sync)}`, to: hear(state, party, at, index, has) },
    ...(state.faults.duplicates > 0 && party.syncs.length === 1
      ? [{ name: `${party.name}: ${wordOf(sync)} is sent twice`, kind: 'may' as const, to: change(state, at, { syncs: [sync, sync] }, spend(state, 'duplicates')) }] : []),
  ]));
  return [...syncs, ...accidents(state, has), ...loadSteps(state, has)];
}

const wordOf = ({ row, allotment }: Sync): string =>
  [row && `version ${row.version} (${row.holds ? 'holds' : 'holds nothing'})`, allotment && `an allotment of ${allotment.units}`].filter(Boolean).join(' with ');

function hear(state: State, party: Party, at: number, index: number, has: Has): State {
  const syncs = party.syncs.filter((_, other) => other !== index);
  // The load that brings the lane back reads the rows itself.
  if (!state.present) return change(state, at, { syncs });
  const { row, allotment } = party.syncs[index]!;
  const record = row && (!has('versioned sync') || !party.record || row.version > party.record.version) ? row : party.record;
  return change(state, at, { syncs, record }, allotment && allotment.version > state.allotted.version ? { allotted: allotment } : {});
}

/** Any of them closes the fence; without one, Redis goes on with what it has left. */
function accidents(state: State, has: Has): Step<State>[] {
  const steps: Step<State>[] = [];
  const doubt = has('fence') ? { selling: false, load: 'none' as const } : {};
  const { redisRestarts, redisEmptied, redisRolledBack } = state.faults;
  if (redisRestarts > 0) steps.push({ name: 'Redis: restarts, nothing lost', kind: 'may', to: { ...state, ...doubt, ...spend(state, 'redisRestarts') } });
  if (redisEmptied > 0) {
    const fenced = has('fence') ? { present: false } : { allotted: state.allotment };
    steps.push({ name: 'Redis: loses everything', kind: 'may', to: changeAll(state, () => ({ record: null, relay: false }), { ...doubt, ...fenced, ...spend(state, 'redisEmptied') }) });
  }
  if (redisRolledBack > 0) {
    steps.push({ name: 'Redis: falls back to its last file', kind: 'may', to: changeAll(state, ({ saved }) => saved, { ...doubt, ...spend(state, 'redisRolledBack') }) });
    if (state.selling) steps.push({ name: 'Redis: writes its file', kind: 'may', to: changeAll(state, ({ record, relay }) => ({ saved: { record, relay } }), {}) });
  }
  return steps;
}

/** A load: a new epoch first, then the judges catch up, then rows are merged by version, then the lane opens. */
function loadSteps(state: State, has: Has): Step<State>[] {
  if (state.selling) return [];
  if (state.load === 'none') return [{ name: 'load: begins', to: { ...state, load: 'begun', epoch: state.epoch + 1, present: true, allotted: newer(state) } }];
  if (state.load === 'filled') return [{ name: 'load: opens', to: { ...state, load: 'none', selling: true, allotted: newer(state) } }];
  const drained = state.parties.every(({ queued }) => queued === 0);
  if (!drained && has('drain before opening')) return [];
  return [{ name: 'load: takes in the rows', to: changeAll(state, (party) => merge(party, has), { load: 'filled' }) }];
}

const newer = ({ allotted, allotment }: State): State['allotted'] => (allotment.version > allotted.version ? allotment : allotted);

function merge(party: Party, has: Has): Partial<Party> {
  const { row, version } = party;
  const kept = has('load merges') ? party.record : null;
  const live = row === 'pending' || row === 'paid';
  const isThere = row !== 'none' && (live || has('load has closed rows'));
  return { record: isThere && version > (kept?.version ?? -1) ? { version, holds: live } : kept, ...(has('load merges') ? {} : { relay: false }) };
}
