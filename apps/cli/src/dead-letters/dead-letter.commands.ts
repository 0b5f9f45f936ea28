import type { DeadLetterView } from '@floodgate/contracts';
import type { Call, Command, Parameter, Result } from '../command/command.js';
import { limitOption, noteMore } from '../command/options.js';
import type { Ending } from '../exit-codes.js';
import { segment } from '../gateway/gateway.client.js';
import { pairs, table } from '../output/table.js';

/** The gateway's answer to a replay; `outcome` begins with a word. */
interface Replay { readonly id: string; readonly dryRun: boolean; readonly outcome: string }

const letterId: Parameter = { name: 'letter-id', about: 'the dead letter' };
const states: readonly DeadLetterView['state'][] = ['waiting', 'replayed', 'discarded'];
const letterPath = (id: string): string => `/v1/admin/dead-letters/${segment(id)}`;

export const deadLetterCommands: readonly Command[] = [
  {
    name: 'dead-letters list', about: 'messages that could not be processed, newest first', role: 'operator',
    options: [limitOption, { flags: '--state <state>', about: 'only those', choices: states }], run: list,
  },
  { name: 'dead-letters show', about: 'one of them, with its errors and its body', role: 'operator', parameters: [letterId], run: show },
  {
    name: 'dead-letters replay', about: 'send it to its queue again as it was; with --dry-run say what would come of it', role: 'operator', parameters: [letterId],
    options: [{ flags: '--dry-run', about: 'change nothing: rehearse it and say what would happen' }], run: replay,
  },
  {
    name: 'dead-letters discard', about: 'give it up: orders parked for it are closed, and their units go back', role: 'operator', parameters: [letterId],
    options: [{ flags: '--reason <text>', about: 'why, for the record', required: true }],
    confirm: ([id]) => `Give the message ${id} up, and close the orders that wait for it?`, run: discard,
  },
];

async function list({ gateway, options }: Call): Promise<Result> {
  const letters = await gateway.list<DeadLetterView>('/v1/admin/dead-letters', {
    limit: options['limit'] as number, keep: ({ state }) => options['state'] === undefined || state === options['state'],
  });
  const lines = table([
    { head: 'id', cell: (one) => one.id }, { head: 'state', cell: (one) => one.state }, { head: 'queue', cell: (one) => one.queue }, { head: 'message', cell: (one) => one.message, widthMax: 24 },
    { head: 'attempts', cell: (one) => one.attempts }, { head: 'orders', cell: (one) => one.reservationIds.length }, { head: 'sent', cell: (one) => one.occurredAt },
    { head: 'last error', cell: (one) => one.lastError, widthMax: 80 },
  ], letters.items);
  return { value: letters, lines: [...lines, ...noteMore(letters.more)] };
}

async function show({ gateway, args: [id = ''] }: Call): Promise<Result> {
  const letter = await gateway.get<DeadLetterView>(letterPath(id));
  const body = typeof letter.body === 'string' ? letter.body : JSON.stringify(letter.body);
  return {
    value: letter,
    lines: pairs([
      ['letter', letter.id], ['state', letter.state], ['queue', letter.queue], ['message', letter.message], ['sent', letter.occurredAt], ['attempts', letter.attempts],
      ['given up because', letter.reason], ['first error', letter.firstError], ['last error', letter.lastError], ['orders', letter.reservationIds.join(' ')], ['body', body],
    ]),
  };
}

async function replay({ gateway, args: [id = ''], options }: Call): Promise<Result> {
  const dryRun = options['dryRun'] === true;
  const answer = await gateway.post<Replay>(`${letterPath(id)}/replay`, undefined, dryRun ? { dryRun } : {});
  return { value: answer, lines: [`${answer.id}: ${answer.outcome}`], ending: replayEnding(answer.outcome) };
}

/** A replay is in order if it works or has worked; a rehearsal that shows nothing is no promise. */
export function replayEnding(outcome: string): Ending {
  if (/^(?:republished|already-replayed|would-be-(?:processed|acknowledged))\b/.test(outcome)) return 'done';
  return /^(?:would-die-again|already-discarded)\b/.test(outcome) ? 'refused' : 'unknown';
}

async function discard({ gateway, args: [id = ''], options }: Call): Promise<Result> {
  const letter = await gateway.post<DeadLetterView>(`${letterPath(id)}/discard`, { reason: options['reason'] });
  return { value: letter, lines: [`${letter.id} is ${letter.state}`], ending: letter.state === 'discarded' ? 'done' : 'refused' };
}
