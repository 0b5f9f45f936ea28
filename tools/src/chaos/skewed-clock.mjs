import { existsSync, readFileSync, renameSync, watchFile, writeFileSync } from 'node:fs';

/**
 * Preloaded into a service (`NODE_OPTIONS=--import=...`) to give it a clock that is wrong: every `new Date()` and `Date.now()` of the process, its
 * libraries included. Timers and `performance.now()` run on, as with a host whose clock was set wrong.
 * CLOCK_SKEW_MS is for the whole life of the process. CLOCK_SKEW_FILE names a file with milliseconds that may change at any time; what the process
 * goes by is then said in the file beside it (`.seen`).
 */
const pollMs = 100;
const { CLOCK_SKEW_MS: fixed, CLOCK_SKEW_FILE: file } = process.env;
let skewMs = Number(fixed ?? 0);
const trueNow = Date.now;
const skewedNow = () => trueNow() + skewMs;

globalThis.Date = new Proxy(Date, {
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [skewedNow()] : args, newTarget),
  apply: (target) => new target(skewedNow()).toString(),
  get: (target, key, receiver) => (key === 'now' ? skewedNow : Reflect.get(target, key, receiver)),
});

function look() {
  if (!existsSync(file)) return;
  skewMs = Number(readFileSync(file, 'utf8'));
  writeFileSync(`${file}.seen.new`, String(skewMs));
  renameSync(`${file}.seen.new`, `${file}.seen`);
}

if (file !== undefined) {
  look();
  watchFile(file, { interval: pollMs, persistent: false }, look);
}
