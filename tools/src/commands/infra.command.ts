import path from 'node:path';

import { loadToolsConfig, repositoryRoot } from '../config.js';
import { PrivateInfra } from '../infra/private-infra.js';
import { loadSecrets } from '../infra/secrets.js';
import { writeFileAtomically } from '../process/atomic-file.js';

/** The three private servers alone, in the foreground: for running single integration tests by hand. */
export async function infraCommand(signal: AbortSignal, note: (line: string) => void): Promise<number> {
  const floodgateDir = path.join(repositoryRoot(), '.floodgate');
  const stateDir = path.join(floodgateDir, 'infra');
  const infra = new PrivateInfra({
    stateDir,
    logDir: path.join(stateDir, 'logs'),
    config: loadToolsConfig(),
    passwords: loadSecrets(stateDir),
    note,
    onEvent: (event, server, detail) => note(`${server.spec.name} ${event} (${detail})`),
  });
  try {
    await infra.start();
    const { redis, rabbitmq, postgres } = infra.urls;
    writeFileAtomically(path.join(floodgateDir, 'infra.json'), `${JSON.stringify({ redisUrl: redis, amqpUrl: rabbitmq, databaseUrl: postgres }, null, 2)}\n`);
    note(`addresses are in ${path.join(floodgateDir, 'infra.json')}; Ctrl-C stops the servers`);
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    return 0;
  } finally {
    await infra.stop();
  }
}
