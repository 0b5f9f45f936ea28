import { switchNames, type SwitchView } from '@floodgate/contracts';
import type { Call, Command, Result } from '../command/command.js';
import { usageFailure } from '../failure.js';
import { segment } from '../gateway/gateway.client.js';
import { table, type Column } from '../output/table.js';

const switchCount = 1_000;
const columns: readonly Column<SwitchView>[] = [
  { head: 'switch', cell: (one) => one.name }, { head: 'value', cell: (one) => String(one.value) }, { head: 'default', cell: (one) => String(one.default) },
  { head: 'set by', cell: (one) => one.changedBy, widthMax: 24 }, { head: 'meaning', cell: (one) => one.meaning, widthMax: 120 },
];

export const switchCommands: readonly Command[] = [
  { name: 'switches list', about: 'every switch and its value', role: 'operator', run: list },
  {
    name: 'switches set', about: 'set a switch; in force everywhere within 2 s, and on record', role: 'operator',
    parameters: [{ name: 'name', about: 'the switch', choices: switchNames }, { name: 'value', about: 'true, false, or a whole number' }], run: set,
  },
];

async function list({ gateway }: Call): Promise<Result> {
  const switches = await gateway.list<SwitchView>('/v1/admin/switches', { limit: switchCount });
  return { value: switches, lines: table(columns, switches.items) };
}

async function set({ gateway, args: [name = '', text = ''] }: Call): Promise<Result> {
  const value = read(text);
  const path = `/v1/admin/switches/${segment(name)}`;
  const changed = await gateway.put<SwitchView>(path, { value });
  return { value: changed, lines: [`${changed.name} is ${String(changed.value)}`] };
}

function read(text: string): boolean | number {
  if (text === 'true' || text === 'false') return text === 'true';
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw usageFailure('a switch is set to true, to false, or to a whole number');
}
