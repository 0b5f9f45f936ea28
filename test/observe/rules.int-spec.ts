import { beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadToolsConfig, repositoryRoot } from '../../tools/src/config.js';
import { rulesDir } from '../../tools/src/observe/observer.js';
import { providePrometheus } from '../../tools/src/observe/prometheus.programs.js';
import { floodgateDir } from '../../tools/src/supervisor/clone-platform.js';

const testsDir = path.join(repositoryRoot(), 'deploy', 'prometheus', 'tests');
const tests = readdirSync(testsDir).map((file) => path.join(testsDir, file));
const names = readdirSync(rulesDir()).map((file) => path.basename(file, '.yaml'));
/** Installing a package may have to wait for another installation. */
const installWithinMs = 400_000;

describe('the rules, by promtool', () => {
  let promtool: string;
  beforeAll(async () => {
    ({ promtool } = await providePrometheus(loadToolsConfig(), path.join(floodgateDir(), 'logs'), () => undefined));
  }, installWithinMs);

  const run = (...args: string[]) => spawnSync(promtool, args, { encoding: 'utf8' });

  it('are rules', () => {
    const files = names.map((name) => path.join(rulesDir(), `${name}.yaml`));
    const { status, stderr } = run('check', 'rules', ...files);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('are read by the Prometheus of deploy/compose.yaml', () => {
    const { status, stdout, stderr } = run('check', 'config', path.join(repositoryRoot(), 'deploy', 'prometheus', 'prometheus.yaml'));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(`${names.length} rule files found`);
  });

  it('fire on what they are made for, and on nothing that only looks like it', () => {
    const { status, stderr } = run('test', 'rules', ...tests);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('another threshold is noticed', () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'floodgate-rules-'));
    try {
      for (const name of names) {
        const rules = readFileSync(path.join(rulesDir(), `${name}.yaml`), 'utf8');
        writeFileSync(path.join(dir, `${name}.yaml`), rules.replace('floodgate_close_lag_seconds) > 60', 'floodgate_close_lag_seconds) > 600'));
      }
      const own = names.map((name) => path.join(dir, `${name}.yaml`)).join(', ');
      writeFileSync(path.join(dir, 'tests.yaml'), readFileSync(path.join(testsDir, 'orders.yaml'), 'utf8').replace('../rules/*.yaml', own));
      const { status, stdout, stderr } = run('test', 'rules', path.join(dir, 'tests.yaml'));
      expect(status).not.toBe(0);
      expect(`${stdout}${stderr}`).toContain('CloseLag');
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
