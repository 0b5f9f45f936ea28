import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, describe, expect, it } from '@jest/globals';

import { postgresAccount, postgresDataDir, rememberOwner, removeAbandonedData } from './postgres-data-dir.js';

const stateDir = mkdtempSync(path.join(tmpdir(), 'floodgate-owner-'));
afterEach(() => {
  for (const dir of [postgresDataDir(stateDir), stateDir]) rmSync(dir, { recursive: true, force: true });
});

describe('data of Postgres', () => {
  it('goes when the clone that it belongs to is gone, not before', () => {
    const dataDir = postgresDataDir(stateDir);
    mkdirSync(dataDir, { recursive: true });
    rememberOwner(dataDir, stateDir);
    removeAbandonedData();
    expect(existsSync(dataDir)).toBe(true);
    rmSync(stateDir, { recursive: true });
    removeAbandonedData();
    expect(existsSync(dataDir)).toBe(false); // as a plain user it lay inside the state folder
  });

  it('lies where the account that runs Postgres may go', () => {
    expect(postgresDataDir('/home/dev/clone/.floodgate')).toMatch(postgresAccount() ? /^\/var\/tmp\/floodgate-postgres-[0-9a-f]{12}$/ : /^\/home\/dev\/clone\/\.floodgate\/postgres$/);
  });
});
