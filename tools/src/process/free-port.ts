import { createServer } from 'node:net';
import { randomInt } from 'node:crypto';

/**
 * Below Linux' ephemeral range (32768 and up): whoever polls a closed port inside that range by connecting can meet
 * itself, and then occupies the port it is waiting for.
 */
const lowestPort = 20_000;
const highestPort = 32_000;
const handedOut = new Set<number>();

/** A port of 127.0.0.1 that nobody listens on and that this process has not handed out before. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(lowestPort, highestPort + 1);
    if (handedOut.has(port)) continue;
    if (!(await isFree(port))) continue;
    handedOut.add(port);
    return port;
  }
}

/** The wanted port if it is free, else any free one. */
export async function preferredPort(wanted: number): Promise<number> {
  return (await isFree(wanted)) ? wanted : await freePort();
}

/** Whether a server could listen on this port of 127.0.0.1 now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
