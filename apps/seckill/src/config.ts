import { commonConfig, loadConfig } from '@floodgate/platform';
import { z } from 'zod';

export const configSchema = z.object({
  ...commonConfig,
  AMQP_URL: z.url({ protocol: /^amqps?$/ }),
  REDIS_URL: z.url({ protocol: /^rediss?$/ }),
});

export type Config = z.infer<typeof configSchema>;

/** The environment of this process. @throws ConfigError with every problem in one message */
export const readConfig = (): Config => loadConfig(configSchema);
