import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { stringify } from 'yaml';

import type { ServerSpec } from '../process/supervised-process.js';

/** What is scraped: the internal listener of one service. */
export interface Target {
  readonly service: string;
  readonly url: string;
}

export interface PrometheusOptions {
  readonly binary: string;
  readonly port: number;
  readonly targets: readonly Target[];
  /** Files of rules; wildcards are Prometheus's. */
  readonly ruleFiles: readonly string[];
  readonly intervalSeconds: number;
  /** Configuration and samples. */
  readonly dataDir: string;
  readonly logFile: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A private Prometheus on 127.0.0.1 that scrapes the services of one platform and evaluates its rules. */
export function prometheusServer(options: PrometheusOptions): ServerSpec {
  const { binary, port, dataDir, logFile, env } = options;
  const config = path.join(dataDir, 'prometheus.yaml');
  const args = [`--config.file=${config}`, `--storage.tsdb.path=${path.join(dataDir, 'samples')}`, '--storage.tsdb.retention.time=2d', `--web.listen-address=127.0.0.1:${port}`];
  return {
    name: 'prometheus',
    launch: () => {
      mkdirSync(dataDir, { recursive: true, mode: 0o700 });
      writeFileSync(config, stringify(configuration(options)), { mode: 0o600 });
      return Promise.resolve({ command: binary, args, env, logFile });
    },
    isReady: async () => (await fetch(`http://127.0.0.1:${port}/-/ready`, { signal: AbortSignal.timeout(2_000) }).catch(() => null))?.status === 200,
    readyWithinMs: 60_000,
    stopSignal: 'SIGTERM',
    stopWithinMs: 10_000,
  };
}

function configuration({ targets, ruleFiles, intervalSeconds }: PrometheusOptions): object {
  return {
    global: { scrape_interval: `${intervalSeconds}s`, scrape_timeout: `${intervalSeconds}s`, evaluation_interval: `${intervalSeconds}s` },
    rule_files: ruleFiles,
    scrape_configs: [{
      job_name: 'floodgate',
      // Each series says itself which service it is of.
      honor_labels: true,
      static_configs: targets.map(({ service, url }) => ({ targets: [new URL(url).host], labels: { service } })),
    }],
  };
}
