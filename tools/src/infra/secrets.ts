import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { writeFileAtomically } from '../process/atomic-file.js';

/** Every secret of one platform. None has a default: each is drawn at the first start and kept beside the data. */
const names = ['redis', 'rabbitmq', 'postgres', 'jwt', 'entryToken', 'receipt', 'sandboxApiKey', 'sandboxWebhook', 'code', 'codeFingerprint', 'alerts'] as const;
export type Secrets = Readonly<Record<(typeof names)[number], string>>;

/** Reads the secrets of a state folder and draws those that are missing. URL-safe characters only. */
export function loadSecrets(stateDir: string): Secrets {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const file = path.join(stateDir, 'secrets.json');
  const known = readKnown(file);
  const secrets = Object.fromEntries(names.map((name) => [name, known[name] ?? randomBytes(24).toString('base64url')]));
  writeFileAtomically(file, `${JSON.stringify(secrets, null, 2)}\n`, 0o600);
  return secrets as Secrets;
}

function readKnown(file: string): Partial<Secrets> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Partial<Secrets>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}; // the first start
    throw new Error(`${file} is not readable as JSON; the data beside it belongs to the secrets in it`, { cause: error });
  }
}
