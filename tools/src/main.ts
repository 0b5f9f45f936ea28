import { infraCommand } from './commands/infra.command.js';

const abort = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => abort.abort(name));
const keep = setInterval(() => undefined, 1e6);
process.exitCode = await infraCommand(abort.signal, (line) => process.stdout.write(`${line}\n`));
clearInterval(keep);
