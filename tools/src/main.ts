import { auditCommand } from './commands/audit.command.js';
import { benchCommand } from './commands/bench.command.js';
import { botsCommand } from './commands/bots.command.js';
import { chaosCommand } from './commands/chaos.command.js';
import { codesCommand } from './commands/codes.command.js';
import type { Command } from './commands/command.js';
import { docsCommand } from './commands/docs.command.js';
import { downCommand } from './commands/down.command.js';
import { infraCommand } from './commands/infra.command.js';
import { modelCommand } from './commands/model.command.js';
import { mutantsCommand } from './commands/mutants.command.js';
import { paymentsCommand } from './commands/payments.command.js';
import { reconcileCommand } from './commands/reconcile.command.js';
import { startCommand } from './commands/start.command.js';
import { testCommand, unitCommand } from './commands/test.command.js';
import { upCommand } from './commands/up.command.js';
import { loadToolsConfig } from './config.js';
import { parseLaunchers, watchLaunchers } from './process/launchers.js';

const commands: Readonly<Record<string, Command>> = {
  start: startCommand, test: testCommand, unit: unitCommand, up: upCommand, down: downCommand, audit: auditCommand, payments: paymentsCommand, reconcile: reconcileCommand, codes: codesCommand,
  docs: docsCommand, infra: infraCommand, mutants: mutantsCommand, model: modelCommand, chaos: chaosCommand, bench: benchCommand,
  bots: botsCommand,
};

/** npm, its shell and bootstrap.mjs each pass one Ctrl-C on; only one that comes later is a second one. */
const sameKeyPressMs = 1_000;

process.exitCode = await main();

async function main(): Promise<number> {
  const [name = '', ...args] = process.argv.slice(2);
  const command = commands[name];
  if (!command) return complain(new Error(`there is no command ${name}: choose one of ${Object.keys(commands).join(', ')}`));

  // Whoever read our output may be gone while servers still run: stopping them matters more than the line.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const stop = new AbortController();
  const hurry = new AbortController();
  let stoppedAt = 0;
  const interrupt = (): void => {
    if (stoppedAt === 0) stoppedAt = Date.now();
    else if (Date.now() - stoppedAt > sameKeyPressMs) hurry.abort();
    stop.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  const awake = setInterval(() => undefined, 2 ** 30); // a command that only waits for a signal keeps nothing else open
  const unwatch = watchLaunchers(parseLaunchers(loadToolsConfig().FLOODGATE_LAUNCHERS), interrupt);
  try {
    return await command({ args, note: (line) => void process.stdout.write(`${line}\n`), stop: stop.signal, hurry: hurry.signal });
  } catch (error) {
    return complain(error);
  } finally {
    unwatch();
    clearInterval(awake);
  }
}

function complain(error: unknown): 1 {
  process.stderr.write(`floodgate: ${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
}
