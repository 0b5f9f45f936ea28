import { readFileSync } from 'node:fs';

import { z } from 'zod';

const server = z.object({ url: z.string(), pid: z.number().int().nullable() });

/** `.floodgate/run.json`, as the contract of the commands fixes it. A pid is null for a server that is not ours. */
export const runFileSchema = z.object({
  gatewayUrl: z.string(),
  supervisorPid: z.number().int(),
  services: z.array(z.object({ name: z.string(), pid: z.number().int(), internalUrl: z.string() })),
  redis: server,
  rabbitmq: server,
  postgres: server,
  jwtSecret: z.string(),
  sandboxPayment: z.object({ url: z.string(), pid: z.number().int(), webhookSecret: z.string() }),
});

export type RunFile = z.infer<typeof runFileSchema>;

/** Reads a run file; null when there is none. Throws when it is not one. */
export function readRunFile(file: string): RunFile | null {
  try {
    return runFileSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new Error(`${file} is not a run file`, { cause: error });
  }
}
