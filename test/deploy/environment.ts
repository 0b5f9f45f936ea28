import { loadConfig, migrationConfigSchema } from '@floodgate/platform';

// By name, so that the compiler does not take the apps for a part of this project.
const load = (name: string): Promise<any> => import(name);
const schemaOf = async (app: string): Promise<any> => (await load(`../../apps/${app}/src/config.ts`)).configSchema;

export const appNames = ['gateway', 'promotion', 'seckill', 'order', 'notification', 'sandbox-payment'] as const;
export type AppName = (typeof appNames)[number];

/** What reads an environment: each app, and `migrate`. */
export const schemas: Record<string, any> = {
  ...Object.fromEntries(await Promise.all(appNames.map(async (app) => [app, await schemaOf(app)]))),
  migrate: migrationConfigSchema,
};

/** The variables that a schema knows; it may be wrapped in checks and a last transformation. */
export function keysOf(schema: any): string[] {
  return Object.keys(schema.shape ?? schema.in.shape);
}

const random = (key: string): string => `${key.toLowerCase().replaceAll(/[^a-z]|secret|key/g, '')}-q7Hk2ZpX9vLw4NbT8sRd3YcMf6GjUa5E`;
const samples: Record<string, string> = {
  AMQP_URL: 'amqp://app:q7Hk2ZpX9vLw4NbT8sRd3YcM@rabbitmq:5672',
  DATABASE_URL: 'postgresql://app:q7Hk2ZpX9vLw4NbT8sRd3YcM@postgres:5432/app',
  REDIS_URL: 'redis://:q7Hk2ZpX9vLw4NbT8sRd3YcM@redis:6379',
  CODE_KEYS: 'k1:q7Hk2ZpX9vLw4NbT8sRd3YcMf6GjUa5E',
};

/** The name without `_FILE` where the value comes from a file of secrets. */
export const variableOf = (key: string, value: string): string => (isSecretFile(key, value) ? key.slice(0, -'_FILE'.length) : key);
export const isSecretFile = (key: string, value: string): boolean => key.endsWith('_FILE') && value.startsWith('/run/secrets/');

/** What is wrong with this environment for this reader: variables that it does not know, and what its own check says. */
export function environmentFaults(reader: string, env: Record<string, string>): string[] {
  const schema = schemas[reader];
  if (!schema) return [`there is no configuration of ${reader}`];
  const known = keysOf(schema);
  const names = Object.entries(env).map(([key, value]) => variableOf(key, value));
  const unknown = names.filter((name) => !known.includes(name)).map((name) => `${reader} knows no ${name}`);
  const values = Object.fromEntries(Object.entries(env).map(([key, value]) => (isSecretFile(key, value) ? [variableOf(key, value), samples[variableOf(key, value)] ?? random(key)] : [key, value])));
  try {
    loadConfig(schema, values);
    return unknown;
  } catch (error) {
    return [...unknown, `${reader}: ${(error as Error).message}`];
  }
}
