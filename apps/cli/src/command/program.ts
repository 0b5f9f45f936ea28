import { CommanderError, Command as Commander, Option as CommanderOption } from 'commander';
import { commands, groups } from '../commands.js';
import { exitCodes } from '../exit-codes.js';
import { Failure } from '../failure.js';
import type { Command } from './command.js';
import { integer } from './options.js';

/** What the command line asks for. */
export interface Asked {
  readonly command: Command;
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
}

interface Writers { out: (text: string) => void; err: (text: string) => void }

/** How long an answer may take; an audit of a great sale reads every order. */
const answerSeconds = 60;

/**
 * Reads a command line. Null where its help or version was asked for, and printed.
 * @throws Failure usage, after the reason has been printed
 */
export async function readCommandLine(argv: readonly string[], writers: Writers): Promise<Asked | null> {
  let asked: Asked | null = null;
  const program = makeProgram(writers, (found) => { asked = found; });
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return null;
    throw new Failure('usage', error.code === 'commander.help' ? 'say what to do' : error.message.replace(/^error: /, ''));
  }
  return asked;
}

/** The whole tree of commands; completion is made of it too. */
export function makeProgram(writers: Writers, found: (asked: Asked) => void = () => undefined): Commander {
  const program = new Commander('floodgate')
    .description('Look at a running platform, and act on it, as an operator.')
    .exitOverride()
    // The reason is printed once, by whoever catches it.
    .configureOutput({ writeOut: writers.out, writeErr: writers.err, outputError: () => undefined })
    .configureHelp({ showGlobalOptions: true })
    .helpCommand(false)
    .option('--url <url>', 'the gateway; else FLOODGATE_URL')
    .option('--token-file <file>', 'where the token stands, - for the standard input; else FLOODGATE_TOKEN, or the file in FLOODGATE_TOKEN_FILE')
    .option('--allow-http', 'send the token over plain HTTP to another machine too')
    .addOption(new CommanderOption('--timeout <seconds>', 'how long an answer may take').argParser(integer('--timeout', 1, 3_600)).default(answerSeconds))
    .option('--json', 'print JSON for programs')
    .option('-y, --yes', 'do what cannot be taken back without asking')
    .addHelpText('after', `\nExit codes:\n${Object.values(exitCodes).map(({ code, meaning }) => `  ${String(code).padStart(3)}  ${meaning}`).join('\n')}`);
  const parents = new Map<string, Commander>();
  for (const row of commands) {
    const [group = '', name] = row.name.split(' ');
    if (name !== undefined && !parents.has(group)) parents.set(group, program.command(group).description(groups[group] ?? '').helpCommand(false));
    add(name === undefined ? program : parents.get(group)!, name ?? group, row, found);
  }
  return program;
}

function add(parent: Commander, name: string, row: Command, found: (asked: Asked) => void): void {
  const command = parent.command(name).description(row.about);
  if (!row.offline) command.addHelpText('after', `\nNeeds the role ${row.role}.`);
  for (const { name, about } of row.parameters ?? []) command.argument(`<${name}>`, about);
  for (const { flags, about, required, choices, parse, default: byDefault } of row.options ?? []) {
    const option = new CommanderOption(flags, about).makeOptionMandatory(required ?? false);
    if (choices) option.choices(choices);
    if (parse) option.argParser(parse);
    if (byDefault !== undefined) option.default(byDefault);
    command.addOption(option);
  }
  command.action(() => found({ command: row, args: command.args, options: command.optsWithGlobals() }));
}
