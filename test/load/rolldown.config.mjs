import { cpSync } from 'node:fs';
import path from 'node:path';

const peers = import.meta.dirname;
const entries = ['floor', ...['tutorial', 'tuned'].flatMap((name) => ['gateway', 'seckill', 'order'].map((role) => `${name}/${role}`))];

/** The peers that the bench measures against, into dist/load. Scripts lie where the code that reads them ends up. */
const copyScripts = {
  name: 'copy-scripts',
  writeBundle() {
    cpSync(path.join(peers, 'peers/grab.lua'), 'dist/load/grab.lua');
  },
};

export default {
  input: Object.fromEntries(entries.map((name) => [name.replace('/', '-'), path.join(peers, 'peers', `${name}.ts`)])),
  platform: 'node',
  tsconfig: 'tsconfig.base.json',
  external: (id) => !id.startsWith('.') && !path.isAbsolute(id) && !/^(@oxc-project\/runtime|\0)/.test(id),
  plugins: [copyScripts],
  output: { dir: 'dist/load', format: 'esm', keepNames: true, entryFileNames: '[name].js' },
};
