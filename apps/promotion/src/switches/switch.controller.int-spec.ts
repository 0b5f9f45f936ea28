import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { switchNames, type Actor, type Answer, type SwitchView } from '@floodgate/contracts';
import { Database, type RequestClient } from '@floodgate/platform';
import { eventually, startService, type RunningService } from '@floodgate/platform/testing';
import { AppModule } from '../app.module.js';

const operator: Actor = { accountId: 'operator-1', roles: ['operator'] };
const name = 'streams.per-account-max';

let service: RunningService;
let client: RequestClient;
beforeAll(async () => {
  service = await startService((urls) => AppModule.with(urls));
  client = service.client;
});
afterAll(() => service.stop());

const set = (value: unknown, of: string = name, actor = operator) => client.ask('set-switch', { actor, name: of, value });
const trail = (of: string) => service.get(Database).query('SELECT account_id, action, before, after FROM audit_log WHERE subject = $1 ORDER BY id', [of]);
const heard = () => service.heard.flatMap((one) => (one.name === 'switches.changed' ? [one.body] : []));

describe('switches', () => {
  it('have their defaults until somebody sets them, page by page', async () => {
    const seen: SwitchView[] = [];
    for (let cursor: string | null = null; ;) {
      const page: Answer<'list-switches'> = await client.ask('list-switches', { limit: 4, cursor });
      if (!page.ok) throw new Error(page.detail);
      seen.push(...page.value.items);
      cursor = page.value.nextCursor;
      if (cursor === null) break;
    }
    expect(seen.map((one) => one.name)).toEqual(switchNames.toSorted());
    expect(seen.every((one) => one.value === one.default && one.changedAt === null && one.meaning !== '')).toBe(true);
    expect(await client.ask('list-switches', { limit: 4, cursor: 'made up' })).toMatchObject({ code: 'INVALID_REQUEST' });
  });

  it('are set with an entry in the audit log and an event; the same value again is no change', async () => {
    const before = await client.ask('read-switches', {});
    expect(await set(3)).toMatchObject({ ok: true, value: { name, value: 3, default: 10, min: 1, max: 1_000, changedBy: 'operator-1' } });
    expect(await client.ask('get-switch', { name })).toMatchObject({ value: { value: 3 } });
    const after = await client.ask('read-switches', {});
    expect(after).toEqual({ version: before.version + 1, values: { ...before.values, [name]: 3 } });
    await eventually(() => expect(heard().at(-1)).toEqual(after));
    expect(await set(3)).toMatchObject({ ok: true, value: { value: 3 } });
    expect(await client.ask('read-switches', {})).toEqual(after);
    expect(await set(4)).toMatchObject({ ok: true, value: { value: 4 } });
    expect(await trail(name)).toEqual([
      { account_id: 'operator-1', action: 'set-switch', before: { value: 10 }, after: { value: 3 } },
      { account_id: 'operator-1', action: 'set-switch', before: { value: 3 }, after: { value: 4 } },
    ]);
  });

  it('of one moment are set one after the other, none is lost', async () => {
    const { version } = await client.ask('read-switches', {});
    const changes = [['payments.enabled', false], ['entry-tokens.enabled', false], ['limits.ip.burst', 7], ['limits.account.burst', 8]] as const;
    await Promise.all(changes.map(([of, value]) => set(value, of)));
    expect(await client.ask('read-switches', {})).toMatchObject({ version: version + changes.length, values: Object.fromEntries(changes) });
  });

  it('refuse unknown names, values out of bounds with the bounds, and everybody but operators', async () => {
    expect(await set(1, 'no.such-switch')).toMatchObject({ code: 'NOT_FOUND' });
    expect(await set(1, 'toString')).toMatchObject({ code: 'NOT_FOUND' });
    expect(await client.ask('get-switch', { name: 'no.such-switch' })).toMatchObject({ code: 'NOT_FOUND' });
    for (const value of [0, 1_001, 2.5, '3', true, null]) {
      expect(await set(value)).toMatchObject({ code: 'INVALID_REQUEST', extra: { errors: [{ path: '/value', message: 'must be an integer from 1 to 1000' }] } });
    }
    expect(await set(1, 'streams.enabled')).toMatchObject({ code: 'INVALID_REQUEST', detail: 'streams.enabled must be true or false.' });
    expect(await set(5, name, { accountId: 'a', roles: ['auditor'] })).toMatchObject({ code: 'FORBIDDEN' });
  });
});
