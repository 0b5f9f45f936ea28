import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** A variable that ends so is a secret, whichever app it belongs to: a new one cannot be forgotten here. */
const secretName = /_(?:SECRET|KEYS?|PASSWORD)$/;
/** The address of each of these servers has a password in it. */
const serverNames: readonly string[] = ['AMQP_URL', 'DATABASE_URL', 'REDIS_URL', 'SMTP_URL'];
const isSecret = (name: string): boolean => secretName.test(name) || serverNames.includes(name);

/** 32 characters of an alphabet of 64 are 192 bits; nobody guesses them, and every generator gives them. */
const charactersMin = 32;
const serverPasswordCharactersMin = 16;
/** Words of examples, defaults and of those who meant to change it later. */
const giveaways = /secret|passwor|change|default|example|placeholder|insecure|floodgate/i;

/** One secret. */
export const secret = z.string().min(16, 'must have at least 16 characters');

/**
 * One secret, or two while it is changed (separated by a comma or a line break): the first signs, both are believed. In the order
 * `old` → `old,new` → `new,old` → `new`, one process after another, no step makes anything that a neighbour does not believe yet.
 */
export const secretPair = z.string()
  .transform(listOf)
  .pipe(z.array(secret).min(1, 'must have at least 16 characters').max(2, 'two secrets are valid at a time, not more'));

/**
 * The environment with the content of `NAME_FILE` as NAME for every secret (the last line break is not part of it).
 * @returns what could not be read as well, in words
 */
export function readSecretFiles(env: Record<string, string | undefined>): { values: Record<string, string | undefined>; problems: string[] } {
  const values = { ...env };
  const problems: string[] = [];
  for (const [variable, file] of Object.entries(env)) {
    const name = variable.slice(0, -'_FILE'.length);
    if (!variable.endsWith('_FILE') || !isSecret(name) || file === undefined) continue;
    if (env[name] !== undefined) problems.push(`${variable}: ${name} is set, too`);
    else {
      try {
        values[name] = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
      } catch (error) {
        problems.push(`${variable}: cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
      }
    }
  }
  return { values, problems };
}

/** What is wrong with the secrets among these variables, in words that do not repeat them. */
export function weakSecrets(values: Record<string, string | undefined>, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const value = values[name];
    if (value === undefined || !isSecret(name)) return [];
    const faults = serverNames.includes(name) ? [serverFault(value)] : listOf(value).map(secretFault);
    return [...new Set(faults)].filter((fault) => fault !== null).map((fault) => `${name}: ${fault}`);
  });
}

function secretFault(value: string): string | null {
  if (value.length < charactersMin) return `must have at least ${charactersMin} characters in production`;
  // Random text of this length has some 20 different characters.
  return giveaways.test(value) || new Set(value).size < 10 ? 'is a default or easily guessed: draw a random one in production' : null;
}

function serverFault(value: string): string | null {
  const { username, password } = new URL(value);
  if (password === '') return 'must carry a password in production';
  if (password.length < serverPasswordCharactersMin) return `must carry a password of at least ${serverPasswordCharactersMin} characters in production`;
  return giveaways.test(password) || password === username ? 'carries a default password: draw a random one in production' : null;
}

function listOf(text: string): string[] {
  return text.split(/[,\r\n]+/).map((entry) => entry.trim()).filter((entry) => entry !== '');
}
