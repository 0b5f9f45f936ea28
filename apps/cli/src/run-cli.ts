import type { Result, Screen } from './command/command.js';
import { readCommandLine, type Asked } from './command/program.js';
import type { CliConfig } from './config.js';
import { exitCodes, type Ending } from './exit-codes.js';
import { Failure, usageFailure } from './failure.js';
import { readConnection } from './gateway/connection.js';
import { Gateway } from './gateway/gateway.client.js';
import { jsonText, plainText } from './output/plain-text.js';

/** Where a run of the command reads and writes. */
export interface Surroundings {
  readonly config: CliConfig;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Columns of the terminal that `out` is, or null. */
  readonly columns: number | null;
  /** Asks a person, yes or no; null where nobody sits there. */
  readonly ask: ((question: string) => Promise<boolean>) | null;
  readonly stop: AbortSignal;
}

/** Does what the command line asks for; returns the exit code. Never throws, and never prints a token. */
export async function runCli(argv: readonly string[], around: Surroundings): Promise<number> {
  const json = argv.includes('--json');
  try {
    const asked = await readCommandLine(argv, around);
    if (asked === null) return exitCodes.done.code;
    const result = await run(asked, around);
    if (result.value !== undefined) around.out(json ? jsonText(result.value) : result.lines.map((line) => `${line}\n`).join(''));
    return exitCodes[result.ending ?? 'done'].code;
  } catch (error) {
    return complain(error, json, around);
  }
}

async function run({ command, args, options }: Asked, around: Surroundings): Promise<Result> {
  if (command.confirm && options['yes'] !== true) await confirm(command.confirm(args), around);
  const gateway = command.offline ? noGateway : new Gateway(readConnection(options, around.config), (options['timeout'] as number) * 1_000, around.stop);
  const screen: Screen = { print: around.out, columns: around.columns };
  return command.run({ args, options, gateway, json: options['json'] === true, stop: around.stop, screen });
}

async function confirm(question: string, { ask }: Surroundings): Promise<void> {
  if (!ask) throw usageFailure(`${plainText(question)} Nobody is there to ask: add --yes`);
  if (!await ask(plainText(question))) throw usageFailure('nothing was done');
}

function complain(error: unknown, json: boolean, { err }: Surroundings): number {
  const failure = error instanceof Failure ? error : new Failure('unknown', `a fault of this command: ${error instanceof Error ? error.message : String(error)}`);
  const ending: Ending = failure.ending;
  if (json) err(jsonText({ error: { ending, message: failure.message, ...(failure.problem ?? {}) } }));
  else err(`floodgate: ${plainText(failure.message)}${failure.problem?.requestId ? ` (request ${plainText(failure.problem.requestId)})` : ''}\n`);
  return exitCodes[ending].code;
}

/** For commands that say `offline`: whoever says so and asks all the same has a fault. */
const noGateway = new Proxy({} as Gateway, { get: (_, name) => { throw new Error(`an offline command asks the gateway for ${String(name)}`); } });
