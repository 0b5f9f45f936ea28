import type { ServiceName } from '../supervisor/services.js';
import type { Arena } from './arena.js';

/** Whoever writes orders and tells buyers, and whoever answers them. */
const workers: readonly ServiceName[] = ['order', 'notification'];
const api: readonly ServiceName[] = ['gateway', 'seckill'];
/** So long after the broker the API dies. */
const apiLaterMs = 1_500;

const endAll = async (arena: Arena, names: readonly ServiceName[]): Promise<void> => void (await Promise.all(names.map((name) => arena.end(name, 'SIGKILL'))));

/** Dead, and what is started in its place stands still: as long as that lasts its queues fill. */
async function keepDown(arena: Arena, name: ServiceName): Promise<void> {
  const before = arena.platform.pidOf(name);
  arena.signal(name, 'SIGKILL');
  while (arena.platform.pidOf(name) === before && !arena.pauses.stopped) await arena.pauses.sleep(5);
  arena.signal(name, 'SIGSTOP');
}

/** What is killed with SIGKILL in the middle of the rush. Each resolves when everything is back. */
export const killScenarios: Readonly<Record<string, (arena: Arena) => Promise<void>>> = {
  'workers': (arena) => endAll(arena, workers),
  'API': (arena) => endAll(arena, api),
  'workers, then API; API back first, with a backlog': async (arena) => {
    await Promise.all(workers.map((name) => keepDown(arena, name)));
    // It cannot serve before the workers are there: of a sale that it does not know it sells nothing.
    await Promise.all(api.map((name) => arena.endAndRevive(name, 'SIGKILL')));
    for (const name of workers) arena.signal(name, 'SIGCONT');
    for (const name of workers) await arena.platform.untilReady(name);
  },
  'broker': (arena) => arena.end('rabbitmq', 'SIGKILL'),
  'broker, then API': async (arena) => {
    const broker = arena.end('rabbitmq', 'SIGKILL');
    await arena.pauses.sleep(apiLaterMs);
    await Promise.all([broker, endAll(arena, api)]);
  },
};
