import { cpSync, existsSync, globSync, mkdirSync } from 'node:fs';
import path from 'node:path';

const app = process.env.APP;
if (!app) throw new Error('set APP to the name of an app, or use: npm run build');
const root = app === 'tools' ? 'tools' : `apps/${app}`;
const bundled = /^(@floodgate\/|@oxc-project\/runtime|\0)/;

/** Lua, SQL and other assets are read at start through import.meta.url, so they lie flat beside main.js. */
const copyAssets = {
  name: 'copy-assets',
  writeBundle() {
    mkdirSync(`dist/${app}`, { recursive: true });
    for (const file of globSync(`${root}/src/**/*.{lua,sql,yaml,html}`)) cpSync(file, path.join('dist', app, path.basename(file)));
  },
};

export default {
  input: existsSync(`${root}/src/main.ts`) ? `${root}/src/main.ts` : undefined,
  platform: 'node',
  tsconfig: 'tsconfig.base.json',
  resolve: { conditionNames: ['@floodgate/source', 'node', 'import', 'default'] },
  external: (id) => !id.startsWith('.') && !path.isAbsolute(id) && !bundled.test(id),
  plugins: [copyAssets],
  output: { dir: `dist/${app}`, format: 'esm', sourcemap: true, keepNames: true, entryFileNames: 'main.js' },
};
