import { createInterface } from 'node:readline/promises';
import { loadCliConfig } from './config.js';
import { runCli } from './run-cli.js';

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
// Whoever reads our output may leave before its end (head, less): that is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  stop.abort();
});

process.exitCode = await runCli(process.argv.slice(2), {
  config: loadCliConfig(),
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  columns: process.stdout.isTTY ? process.stdout.columns : null,
  ask: process.stdin.isTTY && process.stderr.isTTY ? ask : null,
  stop: stop.signal,
});

async function ask(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(?:es)?$/i.test((await terminal.question(`${question} [y/N] `, { signal: stop.signal })).trim());
  } finally {
    terminal.close();
  }
}
