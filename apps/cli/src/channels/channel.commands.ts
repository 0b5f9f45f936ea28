import { readFileSync } from 'node:fs';
import { channelKinds, channelTopics, type ChannelTestView, type ChannelView } from '@floodgate/contracts';
import type { Call, Command, Parameter, Result } from '../command/command.js';
import { limitOption, noteMore } from '../command/options.js';
import { usageFailure } from '../failure.js';
import { segment } from '../gateway/gateway.client.js';
import { table } from '../output/table.js';

const channelName: Parameter = { name: 'name', about: 'the channel' };
const channelPath = (name: string): string => `/v1/admin/channels/${segment(name)}`;

export const channelCommands: readonly Command[] = [
  { name: 'channels list', about: 'where the team is told of alerts and sales', role: 'operator', options: [limitOption], run: list },
  {
    name: 'channels add', about: 'make a channel, or replace it; its URL is a secret and comes from a file', role: 'operator',
    parameters: [channelName, { name: 'kind', about: channelKinds.join(', '), choices: channelKinds }],
    options: [
      { flags: '--url-file <file>', about: 'the file with the URL of the robot or listener, or mailto: and a mailbox', required: true },
      { flags: '--secret-file <file>', about: 'the file with what signs the messages' },
      { flags: '--hears <topics>', about: 'what it is told, comma-separated', default: channelTopics.join(',') },
    ],
    run: add,
  },
  { name: 'channels test', about: 'send a test message; exit 3 if it was not taken, and is tried again', role: 'operator', parameters: [channelName], run: test },
  { name: 'channels remove', about: 'remove a channel, with what waits for it', role: 'operator', parameters: [channelName], confirm: ([name]) => `Remove the channel ${name}?`, run: remove },
];

async function list({ gateway, options }: Call): Promise<Result> {
  const channels = await gateway.list<ChannelView>('/v1/admin/channels', { limit: options['limit'] as number });
  const lines = table([
    { head: 'channel', cell: (one) => one.name }, { head: 'kind', cell: (one) => one.kind }, { head: 'leads to', cell: (one) => one.leadsTo, widthMax: 40 }, { head: 'hears', cell: (one) => one.hears.join(', ') },
    { head: 'last sent', cell: (one) => one.lastSentAt }, { head: 'waiting', cell: (one) => one.waiting }, { head: 'last error', cell: (one) => one.lastError, widthMax: 60 },
  ], channels.items);
  return { value: channels, lines: [...lines, ...noteMore(channels.more)] };
}

async function add({ gateway, args: [name = '', kind = ''], options }: Call): Promise<Result> {
  const secretFile = options['secretFile'] as string | undefined;
  const channel = await gateway.put<ChannelView>(channelPath(name), {
    kind, url: read(options['urlFile'] as string), secret: secretFile === undefined ? null : read(secretFile), hears: (options['hears'] as string).split(','),
  });
  return { value: channel, lines: [`${channel.name} leads to ${channel.leadsTo} and hears ${channel.hears.join(', ')}`] };
}

async function test({ gateway, args: [name = ''] }: Call): Promise<Result> {
  const tested = await gateway.post<ChannelTestView>(`${channelPath(name)}/test`);
  const sent = tested.outcome === 'sent';
  return { value: tested, lines: [sent ? `${name} has taken a test message` : `${name} has not taken it, it is tried again: ${tested.error ?? 'it may not be sent to yet'}`], ending: sent ? 'done' : 'unknown' };
}

async function remove({ gateway, args: [name = ''] }: Call): Promise<Result> {
  await gateway.delete(channelPath(name));
  return { value: { name, removed: true }, lines: [`${name} is removed`] };
}

/** @throws Failure usage; what stands in the file is not repeated */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw usageFailure(`${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
  }
}
