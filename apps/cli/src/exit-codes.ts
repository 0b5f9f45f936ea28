/** What a script reads of a command's end. docs/cli.md shows the same table; a test compares. */
export const exitCodes = {
  done: { code: 0, meaning: 'done; of a check: it is in order' },
  refused: { code: 1, meaning: 'the platform said no, and nothing was changed; of a check: it is not in order' },
  usage: { code: 2, meaning: 'the command line, the address or the token cannot be used; nothing was sent' },
  unknown: { code: 3, meaning: 'nobody can say: no connection, no answer in time, a fault of the platform, or a verdict that is unknown' },
  interrupted: { code: 130, meaning: 'stopped by Ctrl-C or a signal before it had ended' },
} as const satisfies Record<string, { code: number; meaning: string }>;

export type Ending = keyof typeof exitCodes;
