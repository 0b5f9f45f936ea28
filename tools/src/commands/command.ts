/** What every command gets: its arguments, a place to say what it does, and the wish to stop. */
export interface CommandContext {
  readonly args: readonly string[];
  /** One short line for the person who waits. */
  readonly note: (line: string) => void;
  /** Aborted by Ctrl-C, SIGTERM, SIGHUP, or the death of whoever started us: stop everything, in order. */
  readonly stop: AbortSignal;
  /** Aborted by a second Ctrl-C: stop everything now. */
  readonly hurry: AbortSignal;
}

/** Runs to its end and returns the exit code. Throws an Error whose message is the one sentence for the user. */
export type Command = (context: CommandContext) => Promise<number>;

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
