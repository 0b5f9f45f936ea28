import { commonConfig, loadConfig } from '@floodgate/platform';
import { z } from 'zod';

export const configSchema = z.object({ ...commonConfig, AMQP_URL: z.url(), DATABASE_URL: z.url() });
export type Config = z.infer<typeof configSchema>;

export const readConfig = (): Config => loadConfig(configSchema);
