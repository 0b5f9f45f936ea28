// The entrance of every command: plain JavaScript for Node 20, nothing but node: imports, since it may run before
// anything is installed. It installs, builds what changed, and runs dist/tools/main.js under the pinned Node.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { lacks, launchersOf, projectsToBuild, supportsTools } from './bootstrap-rules.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const inRoot = (...parts) => path.join(root, ...parts);
const commands = ['start', 'test', 'unit', 'up', 'down', 'audit', 'payments', 'reconcile', 'docs', 'codes', 'infra', 'mutants', 'model', 'chaos', 'bench'];
const setpriv = process.platform === 'linux' ? ['/usr/bin/setpriv', '/bin/setpriv'].find((file) => existsSync(file)) : undefined;
const launchers = launchersOf({ pid: process.pid, parent: process.ppid, underNpm: process.env.npm_lifecycle_event !== undefined, look: processOf });
const [command = '', ...given] = process.argv.slice(2);
const args = given[0] === '--' ? given.slice(1) : given; // npm takes the dashes away, a direct call keeps them

/** A fault of the machine or the call, not of this program: its message is all there is to say. */
class Impossible extends Error {}

let child = null;
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    interrupted = true;
    child?.kill(signal);
  });
}
// npm killed with SIGKILL tells nobody. While the supervisor runs it watches too, and stops in order.
const watch = setInterval(() => {
  if (launchers.every(({ pid, startedAt }) => processOf(pid)?.startedAt === startedAt)) return;
  clearInterval(watch);
  interrupted = true;
  child?.kill('SIGTERM');
}, 250);
watch.unref();

try {
  process.exitCode = await main();
} catch (error) {
  // What people and programs read last: a test run that could not begin is one failure, whatever it would have counted.
  if (error instanceof Impossible) console.error(`floodgate: ${error.message}`);
  else console.error(error);
  if (command === 'test') console.log('0 passed, 1 failed');
  process.exitCode = interrupted ? 130 : 1;
}

async function main() {
  if (!supportsTools(process.versions.node, '20.19.0')) throw new Impossible(`Node ${process.versions.node} is too old: 20.19 or newer is needed`);
  if (!commands.includes(command)) throw new Impossible(`there is no command "${command}": choose one of ${commands.join(', ')}`);
  await installPackages();
  const node = pinnedNode();
  await build(node);
  return await run(node, [inRoot('dist', 'tools', 'main.js'), command, ...args], { stdio: 'inherit', deathSignal: 'TERM' });
}

async function installPackages() {
  const reason = lacks(readJson(inRoot('package-lock.json')), readJson(inRoot('node_modules', '.package-lock.json')));
  if (!reason) return;
  console.log(`installing packages with npm ci (${reason})`);
  const npm = process.env.npm_execpath;
  const npmArgs = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const [program, programArgs] = npm && /\.c?js$/.test(npm) ? [process.execPath, [npm, ...npmArgs]] : ['npm', npmArgs];
  const code = await run(program, programArgs, { stdio: ['ignore', 2, 2], deathSignal: 'TERM' });
  if (code !== 0) throw new Impossible(`npm ci failed (exit ${code})`);
}

/** The Node of this project's lockfile where there is a package for this machine, else our own if it is new enough. */
function pinnedNode() {
  const packaged = inRoot('node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  for (const candidate of [packaged, process.execPath]) {
    if (!existsSync(candidate)) continue;
    const answer = spawnSync(candidate, ['-p', 'process.versions.node'], { encoding: 'utf8' }); // a package for glibc does not run on musl
    if (answer.status === 0 && supportsTools(answer.stdout.trim(), '24.9.0')) return candidate;
  }
  throw new Impossible(`Node 24.9 or newer is needed to run the platform, and there is no package of it for ${process.platform} ${process.arch}: install it and try again`);
}

async function build(node) {
  const projects = projectsToBuild(command, args);
  const startedAt = Date.now();
  const nx = inRoot('node_modules', 'nx', readJson(inRoot('node_modules', 'nx', 'package.json')).bin.nx);
  const selection = projects === 'all' ? [] : ['--projects', projects.join(',')];
  const chunks = [];
  const code = await run(node, [nx, 'run-many', '--target', 'build', '--outputStyle', 'static', ...selection], {
    stdio: ['ignore', 'pipe', 'pipe'], deathSignal: 'TERM', onOutput: (chunk) => chunks.push(chunk),
    env: { NX_DAEMON: 'false', NX_TUI: 'false', NX_NO_CLOUD: 'true', NX_SKIP_VSCODE_EXTENSION_INSTALL: 'true', NX_INTERACTIVE: 'false', CI: 'true' },
  });
  const output = Buffer.concat(chunks).toString('utf8');
  if (code !== 0) {
    if (!interrupted) console.error(output);
    throw new Impossible(interrupted ? 'interrupted while building' : `the build failed (exit ${code})`);
  }
  console.log(`built in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
}

/** Runs a program that ends when we end, whatever ends us; resolves with its exit code. */
function run(program, programArgs, { stdio, deathSignal, env = {}, onOutput }) {
  if (interrupted) throw new Impossible('interrupted');
  const own = [path.join(root, 'node_modules', '.bin'), ...(path.isAbsolute(program) ? [path.dirname(program)] : [])];
  const environment = {
    ...process.env, ...env,
    PATH: [...own, process.env.PATH].join(path.delimiter),
    FLOODGATE_LAUNCHERS: launchers.map(({ pid, startedAt }) => `${pid}:${startedAt}`).join(','),
  };
  const [file, fileArgs] = setpriv ? [setpriv, ['--pdeathsig', deathSignal, program, ...programArgs]] : [program, programArgs];
  return new Promise((resolve, reject) => {
    child = spawn(file, fileArgs, { stdio, env: environment, cwd: process.cwd() });
    child.stdout?.on('data', onOutput);
    child.stderr?.on('data', onOutput);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      child = null;
      resolve(code ?? 128 + (signal === 'SIGINT' ? 2 : signal === 'SIGKILL' ? 9 : 15));
    });
  });
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null; // absent, or cut short by a killed installation: install again
  }
}

/** What a pid is now: its parent, its name and when it started; null when it is gone. */
function processOf(pid) {
  if (process.platform === 'linux') {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const end = stat.lastIndexOf(')');
      const fields = stat.slice(end + 2).split(' ');
      return fields[0] === 'Z' ? null : { pid, name: stat.slice(stat.indexOf('(') + 1, end), parent: Number(fields[1]), startedAt: fields[19] };
    } catch {
      return null; // no such process
    }
  }
  const ps = spawnSync('ps', ['-o', 'ppid=,lstart=,comm=', '-p', String(pid)], { encoding: 'utf8' });
  const match = /^\s*(\d+)\s+(.{24})\s+(.*)$/m.exec(ps.stdout ?? '');
  return match ? { pid, parent: Number(match[1]), startedAt: match[2].trim(), name: match[3] } : null;
}
