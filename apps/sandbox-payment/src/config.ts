import { commonConfig, loadConfig, secret, secretPair } from '@floodgate/platform';
import { z } from 'zod';
import { misbehaviourSchema } from './misbehaviour/misbehaviour.js';

export const configSchema = z.object({
  ...commonConfig,
  PORT: z.coerce.number().int().min(1).max(65_535),
  /** Path of the SQLite file that is the provider's durable book; created where it is missing. */
  BOOK_FILE: z.string().min(1),
  /** What the order service shows as its bearer token; two while it is changed. */
  SANDBOX_API_KEY: secretPair,
  /** Key of the callbacks' signature. */
  SANDBOX_WEBHOOK_SECRET: secret,
  /** Origin of the buyer's pages, where the address that the provider listens on is not the one that a browser reaches. */
  PUBLIC_URL: z.url().optional(),
  /** The misbehaviour to begin with, as the JSON that `PUT /v1/misbehaviour` takes. */
  SANDBOX_MISBEHAVIOUR: z.string().default('{}').transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'must be JSON' });
      return z.NEVER;
    }
  }).pipe(misbehaviourSchema),
});

export type Config = z.infer<typeof configSchema>;

/** The process's configuration; throws one error that names every problem. */
export const readConfig = (): Config => loadConfig(configSchema);
