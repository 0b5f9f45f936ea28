// Draws what deploy/compose.yaml needs as secrets, once: deploy/secrets, never in the repository. A file that is there stays.
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = path.join(import.meta.dirname, 'secrets');

/** Every file with its content. @param random a secret of 192 bits, each time another; it needs no quoting anywhere */
export function secretFiles(random = () => randomBytes(24).toString('hex')) {
  const [rabbitmq, redis, postgres] = [random(), random(), random()];
  return {
    AMQP_URL: `amqp://floodgate:${rabbitmq}@rabbitmq:5672`,
    DATABASE_URL: `postgresql://floodgate:${postgres}@postgres:5432/floodgate`,
    REDIS_URL: `redis://default:${redis}@redis:6379`,
    JWT_SECRET: random(), ENTRY_TOKEN_SECRET: random(), RECEIPT_SECRET: random(),
    CODE_KEYS: `k1:${random()}`, CODE_FINGERPRINT_KEY: random(),
    SANDBOX_API_KEY: random(), SANDBOX_WEBHOOK_SECRET: random(), ALERTS_SECRET: random(),
    POSTGRES_PASSWORD: postgres, GRAFANA_PASSWORD: random(),
    rabbitmq_conf: `default_user = floodgate\ndefault_pass = ${rabbitmq}\n`,
    redis_conf: `requirepass ${redis}\n`,
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const files = secretFiles();
  const there = Object.keys(files).filter((name) => existsSync(path.join(folder, name)));
  if (there.length > 0) {
    // Some of them belong together, and the servers' volumes keep the passwords of their first start.
    const missing = Object.keys(files).filter((name) => !there.includes(name));
    console.log(missing.length === 0 ? 'the secrets are there' : `of the secrets these are missing: ${missing.join(', ')}. Remove deploy/secrets and the volumes, or put them back`);
    process.exitCode = missing.length === 0 ? 0 : 1;
  } else {
    // The folder keeps others out; in it the users of the containers have to read them.
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(path.join(folder, name), content);
      chmodSync(path.join(folder, name), 0o644); // whatever the umask is
    }
    console.log(`${Object.keys(files).length} secrets drawn`);
  }
}
