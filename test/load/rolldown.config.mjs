import { cpSync, globSync } from 'node:fs';
import path from 'node:path';

const root = path.join(import.meta.dirname, '../..');
const target = path.join(root, 'dist/load');
const peers = ['tutorial', 'tuned'].flatMap((name) => ['gateway', 'seckill', 'order'].map((role) => `${name}/${role}`));
const programs = ['script', 'tutorial-script', 'hop-asker', 'hop-answerer', 'nest-asker', 'nest-answerer'];
const entries = [...['floor', ...peers].map((name) => `peers/${name}`), ...programs.map((name) => `programs/${name}`)];
const bundled = /^(@floodgate\/|@oxc-project\/runtime|\0)/;

/** Scripts lie where the code that reads them ends up. */
const copyScripts = {
  name: 'copy-scripts',
  writeBundle() {
    for (const file of globSync(['apps/seckill/src/stock/*.lua', 'test/load/peers/*.lua'], { cwd: root })) cpSync(path.join(root, file), path.join(target, path.basename(file)));
  },
};

/** What the bench measures against, and the programs that it measures, into dist/load. */
export default {
  input: Object.fromEntries(entries.map((name) => [name.split('/').slice(1).join('-'), path.join(import.meta.dirname, `${name}.ts`)])),
  platform: 'node',
  tsconfig: path.join(root, 'tsconfig.base.json'),
  resolve: { conditionNames: ['@floodgate/source', 'node', 'import', 'default'] },
  external: (id) => !id.startsWith('.') && !path.isAbsolute(id) && !bundled.test(id),
  plugins: [copyScripts],
  output: { dir: target, format: 'esm', keepNames: true, entryFileNames: '[name].js' },
};
