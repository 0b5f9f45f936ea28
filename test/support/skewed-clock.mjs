/**
 * Preloaded into a service (`NODE_OPTIONS=--import=...`) to give it a clock that is wrong by CLOCK_SKEW_MS: every `new Date()` and
 * `Date.now()` of the process, its libraries included. Timers and `performance.now()` run on, as with a host whose clock was set wrong.
 */
const skewMs = Number(process.env.CLOCK_SKEW_MS);
const trueNow = Date.now;
const skewedNow = () => trueNow() + skewMs;

globalThis.Date = new Proxy(Date, {
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [skewedNow()] : args, newTarget),
  apply: (target) => new target(skewedNow()).toString(),
  get: (target, key, receiver) => (key === 'now' ? skewedNow : Reflect.get(target, key, receiver)),
});
