/** Preloaded into a service (`NODE_OPTIONS=--import=...`): writes the address of every module of OpenTelemetry that it loads into the file LOADED_MODULES. */
import { appendFileSync, writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

writeFileSync(process.env.LOADED_MODULES, '');
registerHooks({
  load(url, context, next) {
    if (url.includes('/@opentelemetry/')) appendFileSync(process.env.LOADED_MODULES, `${url}\n`);
    return next(url, context);
  },
});
