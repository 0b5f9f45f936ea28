import { rmSync } from 'node:fs';
import path from 'node:path';

import { loadToolsConfig } from '../config.js';
import { infraFilePath } from '../infra/infra-file.js';
import { PrivateInfra } from '../infra/private-infra.js';
import { loadSecrets } from '../infra/secrets.js';
import { writeFileAtomically } from '../process/atomic-file.js';
import { identify } from '../process/process-identity.js';
import { floodgateDir } from '../supervisor/clone-platform.js';
import { aborted, type CommandContext } from './command.js';

/** The three private servers alone, in the foreground: for running single integration tests by hand. */
export async function infraCommand({ stop, note }: CommandContext): Promise<number> {
  const stateDir = path.join(floodgateDir(), 'infra');
  const infra = new PrivateInfra({
    stateDir,
    logDir: path.join(stateDir, 'logs'),
    config: loadToolsConfig(),
    passwords: loadSecrets(stateDir),
    note,
    onEvent: (event, server, detail) => note(`${server.spec.name} ${event} (${detail})`),
  });
  const file = infraFilePath();
  try {
    const starting = infra.start();
    starting.catch(() => undefined); // awaited below, unless we are told to stop meanwhile
    await Promise.race([starting, aborted(stop)]);
    if (stop.aborted) return 0;
    const { redis, rabbitmq, postgres } = infra.urls;
    const content = { redisUrl: redis, amqpUrl: rabbitmq, databaseUrl: postgres, owner: identify(process.pid) };
    writeFileAtomically(file, `${JSON.stringify(content, null, 2)}\n`);
    note(`addresses are in ${file}; Ctrl-C stops the servers`);
    await aborted(stop);
    return 0;
  } finally {
    rmSync(file, { force: true });
    await infra.stop();
  }
}
