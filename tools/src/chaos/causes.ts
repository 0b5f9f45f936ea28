import type { TcpProxy } from '@floodgate/platform/faults';

import type { ServerName } from '../infra/server-programs.js';
import type { AppName } from '../supervisor/services.js';
import type { Arena } from './arena.js';
import type { FaultName } from './faults.js';
import type { Step } from './schedule.js';
import { messagesAgain, poison } from './message-faults.js';
import { emptyRedis, forgetScripts, loseMessages, raiseDiskAlarm, raiseMemoryAlarm, rollBackRedis, stopBrokerApp, terminateSessions } from './server-faults.js';

/** Causes the fault, lets it last, and takes it away. Resolves when the part is back: from then on the platform has no excuse. */
type Cause = (arena: Arena, step: Step) => Promise<unknown>;

/** Each way. */
const slowMs = 20;

export const causes: Readonly<Record<Exclude<FaultName, 'crash'>, Cause>> = {
  'process-kill': (arena, step) => arena.end(step.target!, 'SIGKILL'),
  'process-freeze': (arena, step) => freeze(arena, step.target!, step.lastsMs),
  'process-skew': setClock,
  'process-stop': (arena, step) => arena.end(step.target!, 'SIGTERM'),
  'redis-kill': (arena) => arena.end('redis', 'SIGKILL'),
  'redis-empty': emptyRedis,
  'redis-rollback': rollBackRedis,
  'redis-script-flush': forgetScripts,
  'redis-freeze': (arena, { lastsMs }) => freeze(arena, 'redis', lastsMs),
  'redis-cut': cutting('redis'),
  'redis-mute': muting('redis'),
  'redis-stall': stalling('redis'),
  'redis-slow': slowing('redis'),
  'broker-kill': (arena) => arena.end('rabbitmq', 'SIGKILL'),
  'broker-stop-app': stopBrokerApp,
  'broker-freeze': (arena, { lastsMs }) => freeze(arena, 'rabbitmq', lastsMs),
  'broker-memory-alarm': raiseMemoryAlarm,
  'broker-disk-alarm': raiseDiskAlarm,
  'broker-cut': cutting('rabbitmq'),
  'broker-mute': muting('rabbitmq'),
  'broker-stall': stalling('rabbitmq'),
  'broker-slow': slowing('rabbitmq'),
  'broker-loses-messages': loseMessages,
  'messages-again': messagesAgain,
  'messages-poison': poison,
  // QUIT is what Postgres calls immediate: no checkpoint, no goodbye; it recovers from its log.
  'postgres-stop': (arena) => arena.end('postgres', 'SIGQUIT'),
  'postgres-terminate': terminateSessions,
  'postgres-cut': cutting('postgres'),
  'postgres-mute': muting('postgres'),
  'postgres-stall': stalling('postgres'),
  'postgres-slow': slowing('postgres'),
};

async function freeze(arena: Arena, name: AppName | ServerName, lastsMs: number): Promise<void> {
  arena.signal(name, 'SIGSTOP');
  await arena.pauses.sleep(lastsMs);
  arena.signal(name, 'SIGCONT');
}

/** While it lasts the process believes its clock; what it stamps and judges by it meets the clocks of the others. */
async function setClock(arena: Arena, { target, skewMs, lastsMs }: Step): Promise<void> {
  await arena.clocks.set(target!, skewMs!);
  await arena.pauses.sleep(lastsMs);
  await arena.clocks.set(target!, 0);
}

function cutting(server: ServerName): Cause {
  return (arena) => Promise.resolve(arena.links[server].cut());
}

/** What the server says is held back, and lost with the connections: everything that was asked may have happened. */
function muting(server: ServerName): Cause {
  return async (arena, { lastsMs }) => {
    const link: TcpProxy = arena.links[server];
    link.hold();
    await arena.pauses.sleep(lastsMs);
    link.cut();
    link.release();
  };
}

/** As above, and nothing is lost: whoever gave up meanwhile gets an answer to a question of before. */
function stalling(server: ServerName): Cause {
  return async (arena, { lastsMs }) => {
    arena.links[server].hold();
    await arena.pauses.sleep(lastsMs);
    arena.links[server].release();
  };
}

function slowing(server: ServerName): Cause {
  return async (arena, { lastsMs }) => {
    arena.links[server].delayMs = slowMs;
    await arena.pauses.sleep(lastsMs);
    arena.links[server].delayMs = 0;
  };
}
