import { closeSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';

import type { ToolsConfig } from '../config.js';
import { canInstall, install } from '../infra/apt.js';
import { findBinary } from '../process/find-binary.js';

export interface PrometheusPrograms {
  readonly prometheus: string;
  readonly promtool: string;
}

const debianPackage = 'prometheus';

/** Finds Prometheus and its promtool, and installs them where that is possible. Throws one sentence that says what is missing. */
export async function providePrometheus(config: ToolsConfig, logDir: string, note: (line: string) => void): Promise<PrometheusPrograms> {
  const found = lookUp(config);
  if (found) return found;
  if (!canInstall()) throw new Error(`missing on this machine: prometheus and promtool; install the package ${debianPackage}, or run as root on Debian or Ubuntu`);
  note(`installing ${debianPackage} with apt-get (starts no system service)`);
  mkdirSync(logDir, { recursive: true });
  const logName = path.join(logDir, 'apt.log');
  const log = openSync(logName, 'a');
  try {
    await install([debianPackage], log, logName);
  } finally {
    closeSync(log);
  }
  const installed = lookUp(config);
  if (!installed) throw new Error('prometheus is still missing, though apt-get installed its package');
  return installed;
}

function lookUp({ PATH }: ToolsConfig): PrometheusPrograms | null {
  const [prometheus, promtool] = [findBinary(PATH, 'prometheus'), findBinary(PATH, 'promtool')];
  return prometheus && promtool ? { prometheus, promtool } : null;
}
