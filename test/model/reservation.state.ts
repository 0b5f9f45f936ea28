/** What Redis knows of a reservation. Version 0: Postgres has not spoken of it yet. */
export interface Holding {
  readonly version: number;
  readonly holds: boolean;
}

/** A message that takes a decision of Postgres to Redis: a row's version, an allotment's, or both in one. */
export interface Sync {
  readonly row: Holding | null;
  readonly allotment: Allotment | null;
}

export interface Allotment {
  readonly units: number;
  readonly version: number;
}

/** Somebody who takes one unit, in all the places that know of it. */
export interface Party {
  readonly name: string;
  readonly kind: 'buyer' | 'operator';
  /** Where the request is. `reserved`: Redis has decided. `sent`: the broker is asked to keep it. `unknown`: no answer, or "outcome unknown". */
  readonly stage: 'away' | 'reserved' | 'sent' | 'unknown' | 'told' | 'refused';
  /** The epoch under which Redis decided. */
  readonly epoch: number;
  /** A 202 was sent for a reservation that was not over by then. */
  readonly promised: boolean;
  /** Somebody was told that this reservation is cancelled. */
  readonly cancelled: boolean;
  readonly record: Holding | null;
  /** The entry that only a confirm removes. */
  readonly relay: boolean;
  /** What a Redis that falls back to its last file finds there. */
  readonly saved: { readonly record: Holding | null; readonly relay: boolean };
  /** Messages in the broker. */
  readonly queued: number;
  readonly row: 'none' | 'pending' | 'paid' | 'closed' | 'rejected' | 'booked';
  readonly version: number;
  /** Under way to Redis, in no order. */
  readonly syncs: readonly Sync[];
}

/** How often each of them may still happen. */
export interface Faults {
  /** A publish that fails, or a process that dies, before or after the broker has the message. */
  readonly interruptions?: number;
  /** A message that is delivered twice. */
  readonly duplicates?: number;
  /** A confirmed message that the broker loses, as with a deleted queue. */
  readonly messagesLost?: number;
  readonly redisRestarts?: number;
  readonly redisEmptied?: number;
  readonly redisRolledBack?: number;
  /** Not a fault: a buyer who cancels before the order exists. */
  readonly cancels?: number;
}

export interface State {
  readonly parties: readonly Party[];
  /** The fence: false from the first doubt until a load has ended. */
  readonly selling: boolean;
  /** Redis knows the lane. */
  readonly present: boolean;
  readonly load: 'none' | 'begun' | 'filled';
  readonly epoch: number;
  /** What Redis, and what Postgres, takes for the number of units. */
  readonly allotted: Allotment;
  readonly allotment: Allotment;
  readonly held: number;
  readonly sold: number;
  readonly faults: Required<Faults>;
}

const noFaults: Required<Faults> = { interruptions: 0, duplicates: 0, messagesLost: 0, redisRestarts: 0, redisEmptied: 0, redisRolledBack: 0, cancels: 0 };

export interface Bounds {
  readonly buyers: number;
  readonly units: number;
  /** One operator who takes a unit out of the sale. */
  readonly operator?: boolean;
  /** The load does not wait until everything is judged: its longest wait is over. */
  readonly impatient?: boolean;
  readonly faults: Faults;
}

export function startOf({ buyers, units, operator = false, faults }: Bounds): State {
  const party = (name: string, kind: Party['kind']): Party => ({
    name, kind, stage: 'away', epoch: 0, promised: false, cancelled: false, record: null, relay: false,
    saved: { record: null, relay: false }, queued: 0, row: 'none', version: 0, syncs: [],
  });
  const names = ['Ada', 'Ben', 'Cleo', 'Dan'].slice(0, buyers);
  return {
    parties: [...names.map((name) => party(name, 'buyer')), ...(operator ? [party('operator', 'operator')] : [])],
    selling: true, present: true, load: 'none', epoch: 0, allotted: { units, version: 0 }, allotment: { units, version: 0 },
    held: 0, sold: 0, faults: { ...noFaults, ...faults },
  };
}

/** What Redis would still give away. */
export const available = (state: State): number => state.allotted.units - state.parties.filter(({ record }) => record?.holds).length;

/** What Postgres would. */
export const free = ({ allotment, held, sold }: State): number => allotment.units - held - sold;

const holdingKey = (holding: Holding | null): string => (holding ? `${holding.version}${holding.holds ? 'h' : 'f'}` : '-');
const allotmentKey = (allotment: Allotment | null): string => (allotment ? `${allotment.units}v${allotment.version}` : '-');
const bit = (value: boolean): string => (value ? '1' : '0');

/** A party as a short number: parties are shared by many states, and states are compared by the million. */
const idOf = new WeakMap<Party, number>();
const idOfKey = new Map<string, number>();
function partyId(party: Party): number {
  let id = idOf.get(party);
  if (id === undefined) {
    const key = partyKey(party);
    id = idOfKey.get(key) ?? idOfKey.size;
    idOfKey.set(key, id);
    idOf.set(party, id);
  }
  return id;
}

function partyKey({ kind, stage, epoch, promised, cancelled, record, relay, saved, queued, row, version, syncs }: Party): string {
  const under = syncs.map((sync) => `${holdingKey(sync.row)}+${allotmentKey(sync.allotment)}`).sort().join(' ');
  return `${kind}|${stage}${epoch}${bit(promised)}${bit(cancelled)}|${holdingKey(record)}${bit(relay)}|${holdingKey(saved.record)}${bit(saved.relay)}|${queued}|${row}${version}|${under}`;
}

/** Buyers are alike: which of them it was does not matter. */
export function keyOf(state: State): string {
  const { parties, selling, present, load, epoch, allotted, allotment, held, sold, faults } = state;
  const { interruptions, duplicates, messagesLost, redisRestarts, redisEmptied, redisRolledBack, cancels } = faults;
  const counts = `${interruptions}${duplicates}${messagesLost}${redisRestarts}${redisEmptied}${redisRolledBack}${cancels}`;
  return `${parties.map(partyId).sort((a, b) => a - b).join('/')}|${bit(selling)}${bit(present)}${load[0]}${epoch}|${allotmentKey(allotted)}${allotmentKey(allotment)}|${held}${sold}|${counts}`;
}

export function change(state: State, at: number, party: Partial<Party>, rest: Partial<State> = {}): State {
  return { ...state, ...rest, parties: state.parties.map((one, index) => (index === at ? { ...one, ...party } : one)) };
}

export const changeAll = (state: State, how: (party: Party) => Partial<Party>, rest: Partial<State>): State =>
  ({ ...state, ...rest, parties: state.parties.map((one) => ({ ...one, ...how(one) })) });

/** One of this fault less. */
export const spend = (state: State, fault: keyof Faults): Partial<State> => ({ faults: { ...state.faults, [fault]: state.faults[fault] - 1 } });
