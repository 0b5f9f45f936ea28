#!/usr/bin/env node
// What npx and a shell start: the built command, where it is built.
import { existsSync } from 'node:fs';

const built = new URL('../../../dist/cli/main.js', import.meta.url);
if (existsSync(built)) await import(built.href);
else {
  process.stderr.write('floodgate: not built yet: run `npm ci` and `npm run build` in the clone first\n');
  process.exitCode = 2;
}
