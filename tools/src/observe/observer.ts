import path from 'node:path';

import { loadToolsConfig, repositoryRoot } from '../config.js';
import { searchPath } from '../process/find-binary.js';
import { freePort } from '../process/free-port.js';
import { SupervisedProcess } from '../process/supervised-process.js';
import type { RunFile } from '../supervisor/run-file.js';
import { prometheusServer } from './prometheus.server.js';
import { providePrometheus } from './prometheus.programs.js';

/** A dashboard that is five seconds behind shows an opening minute well enough. */
const intervalSeconds = 5;
export const rulesDir = (): string => path.join(repositoryRoot(), 'deploy', 'prometheus', 'rules');

export interface ObserverOptions {
  readonly stateDir: string;
  readonly logDir: string;
  readonly note: (line: string) => void;
  /** Instead of the rules of `deploy/prometheus/rules`. */
  readonly ruleFiles?: readonly string[];
  readonly intervalSeconds?: number;
}

/** A private Prometheus beside a running platform; dies with this process. */
export class Observer {
  private constructor(readonly url: string, private readonly server: SupervisedProcess) {}

  /** Starts it and waits until it is ready to be asked. Throws where there is no Prometheus and none can be installed. */
  static async start(run: RunFile, options: ObserverOptions): Promise<Observer> {
    const { stateDir, logDir, note } = options;
    const config = loadToolsConfig();
    const { prometheus } = await providePrometheus(config, logDir, note);
    const port = await freePort();
    const server = new SupervisedProcess(prometheusServer({
      binary: prometheus, port, targets: run.services.map(({ name, internalUrl }) => ({ service: name, url: internalUrl })),
      ruleFiles: options.ruleFiles ?? [path.join(rulesDir(), '*.yaml')], intervalSeconds: options.intervalSeconds ?? intervalSeconds,
      dataDir: path.join(stateDir, 'prometheus'), logFile: path.join(logDir, 'prometheus.log'), env: { PATH: searchPath(config.PATH), LANG: 'C.UTF-8' },
    }), (event, _server, detail) => { if (event !== 'started') note(`prometheus ${event} (${detail})`); });
    const observer = new Observer(`http://127.0.0.1:${port}`, server);
    try {
      await server.start();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return observer;
  }

  stop(): Promise<void> {
    return this.server.stop();
  }
}
