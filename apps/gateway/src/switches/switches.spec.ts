import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { switchValues, type SwitchState } from '@floodgate/contracts';
import { callOperation } from '../testing/contract.js';
import { bearer, startGateway, type Gateway } from '../testing/gateway.fixture.js';
import { StandInClient } from '../testing/stand-in.client.js';
import { Switches } from './switches.js';

const name = 'streams.per-account-max';
let gateway: Gateway;
let client: StandInClient;
let switches: Switches;
let state: SwitchState;

beforeEach(async () => {
  state = { version: 0, values: {} };
  client = new StandInClient().on('read-switches', () => state);
  gateway = await startGateway(client);
  switches = gateway.app.get(Switches, { strict: false });
});
afterEach(() => gateway.close());

describe('the switches of a gateway', () => {
  it('have their defaults while promotion has never answered, and keep the last known values when it goes away', async () => {
    const alone = await startGateway(new StandInClient());
    expect(alone.app.get(Switches, { strict: false }).values).toEqual(switchValues(false));
    await alone.close();
    switches.apply({ version: 3, values: { [name]: 5 } });
    client.fail('read-switches', 'TIMEOUT');
    expect(await switches.refresh()).toBe(false);
    expect(switches.values).toEqual({ ...switchValues(false), [name]: 5 });
  });

  it('go by version: an event that comes late changes nothing', () => {
    switches.apply({ version: 3, values: { [name]: 5 } });
    switches.apply({ version: 2, values: { [name]: 4 } });
    expect(switches.values[name]).toBe(5);
    switches.apply({ version: 4, values: {} });
    expect(switches.values[name]).toBe(10);
  });

  it('are asked for without an event', async () => {
    state = { version: 9, values: { [name]: 6 } };
    expect(await switches.refresh()).toBe(true);
    expect(switches.values[name]).toBe(6);
  });

  it('that are set here are in force here before the answer', async () => {
    const view = { name, value: 7, default: 10, type: 'integer' as const, meaning: '', changedAt: null, changedBy: null };
    client.on('set-switch', () => {
      state = { version: 10, values: { [name]: 7 } };
      return { ok: true, value: view };
    });
    const got = await callOperation(gateway.app, 'setSwitch', { path: { name }, body: { value: 7 }, headers: bearer('op', 'operator') });
    expect([got.status, got.json.value, switches.values[name]]).toEqual([200, 7, 7]);
  });
});
