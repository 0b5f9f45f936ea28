import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';

import { loadToolsConfig } from '../config.js';
import { readRunningInfra } from '../infra/infra-file.js';
import { postgresDataDir } from '../infra/postgres-data-dir.js';
import { PrivateInfra, type InfraUrls } from '../infra/private-infra.js';
import { loadSecrets } from '../infra/secrets.js';
import { floodgateDir } from '../supervisor/clone-platform.js';
import { aborted, type CommandContext } from './command.js';

/** The servers that the environment names, or that somebody keeps running for this clone; null: there are none. */
export function serversAtHand(): InfraUrls | null {
  const { TEST_REDIS_URL, TEST_AMQP_URL, TEST_DATABASE_URL } = loadToolsConfig();
  if (!TEST_REDIS_URL || !TEST_AMQP_URL || !TEST_DATABASE_URL) return readRunningInfra();
  return { redis: TEST_REDIS_URL, rabbitmq: TEST_AMQP_URL, postgres: TEST_DATABASE_URL };
}

/** Runs `use` with private servers, or with those given; `ready` waits for them, and throws where they do not start. They are gone afterwards. */
export async function withServers<T>({ note, stop }: CommandContext, given: InfraUrls | null, use: (ready: () => Promise<InfraUrls>) => Promise<T>): Promise<T> {
  if (given) return await use(() => Promise.resolve(given));
  const stateDir = path.join(floodgateDir(), `test-${process.pid}-servers`);
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const infra = new PrivateInfra({
    stateDir, logDir: path.join(stateDir, 'logs'), config: loadToolsConfig(), passwords: loadSecrets(stateDir), note,
    onEvent: (event, server, detail) => {
      if (event !== 'started') note(`${server.spec.name} ${event} (${detail})`);
    },
  });
  const starting = infra.start();
  starting.catch(() => undefined); // awaited by `ready`
  try {
    return await use(async () => {
      await Promise.race([starting, aborted(stop)]);
      return infra.urls;
    });
  } finally {
    await infra.stop();
    for (const dir of [postgresDataDir(stateDir), stateDir]) rmSync(dir, { recursive: true, force: true });
  }
}
