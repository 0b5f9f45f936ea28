/** One thing that can happen next. */
export interface Step<S> {
  /** What happens, in words: a counter-example is a list of them. */
  readonly name: string;
  readonly to: S;
  /** `must`: happens in the end if nothing else does. `may`: a buyer's choice, or a fault. Default `must`. */
  readonly kind?: 'may';
}

/** A protocol as states and the steps between them. States are values: a step makes a new one. */
export interface Model<S> {
  readonly start: S;
  readonly steps: (state: S) => Step<S>[];
  /** Equal for states that differ in nothing that matters, such as which of two like buyers is which. */
  readonly keyOf: (state: S) => string;
  /** The promise that this state breaks. `settled`: nothing that must happen is left. */
  readonly broken: (state: S, settled: boolean) => string | null;
}

export interface Exploration {
  readonly states: number;
  /** How many of them have come to rest: a model in which nothing ever settles has checked nothing of what holds in the end. */
  readonly settled: number;
  /** The broken promise that is reached in the fewest steps, and how; null if every reachable state keeps every promise. */
  readonly broken: { readonly promise: string; readonly trace: readonly string[] } | null;
}

interface Reached<S> {
  readonly state: S;
  readonly from: Reached<S> | null;
  readonly by: string;
}

/**
 * Every state that can be reached, nearest first.
 * @throws Error beyond `statesMax`: an exploration that was cut short has shown nothing
 */
export function explore<S>(model: Model<S>, statesMax = 3_000_000): Exploration {
  const seen = new Set([model.keyOf(model.start)]);
  let settledStates = 0;
  let states = 0;
  for (let frontier: Reached<S>[] = [{ state: model.start, from: null, by: '' }]; frontier.length > 0;) {
    const next: Reached<S>[] = [];
    for (const reached of frontier) {
      states++;
      const steps = model.steps(reached.state);
      const settled = steps.every(({ kind }) => kind === 'may');
      if (settled) settledStates++;
      const promise = model.broken(reached.state, settled);
      if (promise !== null) return { states, settled: settledStates, broken: { promise, trace: traceOf(reached) } };
      for (const { name, to } of steps) {
        const key = model.keyOf(to);
        if (seen.has(key)) continue;
        seen.add(key);
        next.push({ state: to, from: reached, by: name });
      }
      if (seen.size > statesMax) throw new Error(`more than ${statesMax} states`);
    }
    frontier = next;
  }
  return { states, settled: settledStates, broken: null };
}

function traceOf<S>(last: Reached<S>): string[] {
  const trace: string[] = [];
  for (let at: Reached<S> = last; at.from; at = at.from) trace.unshift(at.by);
  return trace;
}
