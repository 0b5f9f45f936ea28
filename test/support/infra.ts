import { loadToolsConfig } from '../../tools/src/config.js';
import { readRunningInfra } from '../../tools/src/infra/infra-file.js';

/** Servers that tests may use: shared by all of them, so each test takes names of its own in them. */
export interface TestInfra {
  readonly redisUrl: string;
  readonly amqpUrl: string;
  readonly databaseUrl: string;
}

/** The servers of this test run, or those that `infra` keeps running. Throws a sentence that says which command to run. */
export function infraUrls(): TestInfra {
  const { TEST_REDIS_URL, TEST_AMQP_URL, TEST_DATABASE_URL } = loadToolsConfig();
  if (TEST_REDIS_URL && TEST_AMQP_URL && TEST_DATABASE_URL) return { redisUrl: TEST_REDIS_URL, amqpUrl: TEST_AMQP_URL, databaseUrl: TEST_DATABASE_URL };
  const running = readRunningInfra();
  if (running) return { redisUrl: running.redis, amqpUrl: running.rabbitmq, databaseUrl: running.postgres };
  throw new Error('this test needs servers: run it with `node tools/bootstrap.mjs test PART-OF-ITS-PATH`, or keep `node tools/bootstrap.mjs infra` running');
}
