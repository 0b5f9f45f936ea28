import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

import { greets } from '../process/greeting.js';
import type { ServerSpec } from '../process/supervised-process.js';

export interface RabbitmqOptions {
  /** The server's own start script, not Debian's wrapper, which changes user and writes to /var/lib. */
  readonly binary: string;
  readonly epmdBinary: string;
  readonly port: number;
  readonly distributionPort: number;
  readonly epmdPort: number;
  readonly user: string;
  readonly password: string;
  readonly dataDir: string;
  readonly logDir: string;
  readonly env: Readonly<Record<string, string>>;
}

/** epmd's answer to NAMES_REQ starts with its own port, whatever is registered. */
const epmdNames = Buffer.from([0, 1, 110]);
const epmdWithinMs = 10_000;
/** Each call starts a virtual machine of its own. */
const controlWithinMs = 60_000;
const amqpHeader = Buffer.from('AMQP\0\0\x09\x01', 'latin1');

/**
 * Erlang's port mapper, in the foreground and ours: a broker that finds none starts a daemon, and that outlives it.
 */
export function epmdServer(options: RabbitmqOptions): ServerSpec {
  const { epmdBinary, epmdPort, logDir, env } = options;
  return {
    name: 'epmd',
    launch: () => Promise.resolve({ command: epmdBinary, args: ['-address', '127.0.0.1', '-port', String(epmdPort)], env, logFile: path.join(logDir, 'epmd.log') }),
    isReady: () => greets(epmdPort, epmdNames, /[\s\S]/),
    readyWithinMs: 20_000,
    stopSignal: 'SIGKILL', // it keeps nothing, and ignores SIGTERM while nodes are registered
    stopWithinMs: 1_000,
  };
}

/** A private RabbitMQ on loopback, without plugins: the management plugin alone makes a stop take six seconds. */
export function rabbitmqServer(options: RabbitmqOptions): ServerSpec {
  const { binary, port, epmdPort, logDir } = options;
  return {
    name: 'rabbitmq',
    launch: async () => {
      writeFiles(options);
      // If the broker came up before the restarted epmd, it would start a daemon of its own.
      const deadline = Date.now() + epmdWithinMs;
      while (!(await greets(epmdPort, epmdNames, /[\s\S]/))) {
        if (Date.now() > deadline) throw new Error('epmd does not answer, and RabbitMQ without it would start a daemon');
        await delay(20);
      }
      return { command: binary, args: [], env: environment(options), logFile: path.join(logDir, 'rabbitmq.log') };
    },
    isReady: () => greets(port, amqpHeader, /version/),
    readyWithinMs: 120_000,
    stopSignal: 'SIGTERM',
    stopWithinMs: 20_000,
  };
}

/** Runs the broker's own control program. Throws with what it said when it fails. */
export async function controlRabbitmq(options: RabbitmqOptions, args: readonly string[]): Promise<void> {
  const program = path.join(path.dirname(options.binary), 'rabbitmqctl');
  await promisify(execFile)(program, [...args], { env: environment(options), cwd: '/', timeout: controlWithinMs });
}

/** The URL of that RabbitMQ. */
export function rabbitmqUrl(port: number, user: string, password: string): string {
  return `amqp://${user}:${password}@127.0.0.1:${port}`;
}

function writeFiles({ dataDir, port, user, password }: RabbitmqOptions): void {
  const home = path.join(dataDir, 'home');
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const cookie = path.join(home, '.erlang.cookie');
  if (!existsSync(cookie)) writeFileSync(cookie, randomBytes(16).toString('hex'), { mode: 0o400 });
  const lines = [
    `listeners.tcp.default = 127.0.0.1:${port}`,
    `default_user = ${user}`,
    `default_pass = ${password}`,
    'default_user_tags.administrator = true',
    'log.console = true',
    'log.console.level = warning',
    'log.file = false',
    'vm_memory_high_watermark.absolute = 1GB',
    'disk_free_limit.absolute = 64MB',
  ];
  writeFileSync(path.join(dataDir, 'rabbitmq.conf'), `${lines.join('\n')}\n`, { mode: 0o600 });
  writeFileSync(path.join(dataDir, 'plugins'), '[].\n');
}

function environment({ dataDir, distributionPort, epmdPort, env }: RabbitmqOptions): Record<string, string> {
  const inside = (name: string): string => path.join(dataDir, name);
  return {
    ...env,
    HOME: inside('home'),
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: 'floodgate@localhost', // no lookup of the machine's own name, which containers often lack
    RABBITMQ_DIST_PORT: String(distributionPort),
    RABBITMQ_MNESIA_BASE: inside('mnesia'),
    RABBITMQ_LOG_BASE: inside('log'),
    RABBITMQ_LOGS: '-',
    RABBITMQ_CONFIG_FILE: inside('rabbitmq.conf'),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_ENABLED_PLUGINS_FILE: inside('plugins'),
    RABBITMQ_PID_FILE: inside('pid'),
    RABBITMQ_GENERATED_CONFIG_DIR: inside('generated'),
    RABBITMQ_FEATURE_FLAGS_FILE: inside('feature-flags'),
    // Makes the start script become the virtual machine instead of its parent: one pid to signal, none to orphan.
    RUNNING_UNDER_SYSTEMD: 'true',
    // Schedulers that spin while idle cost the other processes of a small machine a fifth of a core.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none',
  };
}
