import { commonConfig, loadConfig } from '@floodgate/platform';
import { z } from 'zod';

export const configSchema = z.object({
  ...commonConfig,
  AMQP_URL: z.url(),
  DATABASE_URL: z.url(),
  /** The sandbox payment provider, and what it and we share. */
  SANDBOX_URL: z.url(),
  SANDBOX_API_KEY: z.string().min(1),
  SANDBOX_WEBHOOK_SECRET: z.string().min(1),
  /** Where the provider sends its notices: the gateway's public address of them. */
  CALLBACK_URL: z.url(),
});
export type Config = z.infer<typeof configSchema>;

export const readConfig = (): Config => loadConfig(configSchema);
