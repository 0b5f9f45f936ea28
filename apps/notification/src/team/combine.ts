import type { TeamMessage } from '../channels/team-channel.js';

const bytes = (text: string): number => Buffer.byteLength(text, 'utf8');
const bytesOf = ({ title, lines, link }: TeamMessage): number => [title, ...lines, ...(link === null ? [] : [link])].reduce((sum, part) => sum + bytes(part) + 1, 0);
/** For "and 12345 more". */
const restBytes = 24;

/**
 * What waits for a channel as one message of at most `bytesMax` bytes, so that a flood costs a robot's allowance one message and loses
 * nothing but detail: what does not fit is counted ("and 7 more"). In the order given; at least one.
 */
export function combine(messages: readonly TeamMessage[], bytesMax: number): TeamMessage {
  const [first] = messages;
  if (first && messages.length === 1) return clipped(first, bytesMax);
  const combined = { title: `${messages.length} messages`, lines: [] as string[], link: null };
  let told = 0;
  for (const { title, lines, link } of messages) {
    const part = [`- ${title}`, ...lines.map((line) => `  ${line}`), ...(link === null ? [] : [`  ${link}`])];
    if (bytesOf({ ...combined, lines: [...combined.lines, ...part] }) + restBytes > bytesMax) break;
    combined.lines.push(...part);
    told++;
  }
  if (told === 0 && first) return { ...clipped({ ...first, title: `${first.title} (and ${messages.length - 1} more)` }, bytesMax) };
  return told === messages.length ? combined : { ...combined, lines: [...combined.lines, `and ${messages.length - told} more`] };
}

/** The title stays, as far as it fits, and then as many lines as do. */
function clipped(message: TeamMessage, bytesMax: number): TeamMessage {
  if (bytesOf(message) <= bytesMax) return message;
  const link = message.link !== null && bytes(message.link) < bytesMax / 2 ? message.link : null;
  const title = cut(message.title, Math.floor(bytesMax / 4));
  const lines: string[] = [];
  for (const line of message.lines) {
    const left = bytesMax - restBytes - bytesOf({ title, lines, link });
    if (left <= 0) break;
    lines.push(cut(line, left - 1));
  }
  return { title, lines, link };
}

/** At most so many bytes, whole characters, with a mark where something is missing. */
function cut(text: string, bytesMax: number): string {
  if (bytes(text) <= bytesMax) return text;
  let kept = '';
  for (const character of text) {
    if (bytes(kept) + bytes(character) + 3 > bytesMax) break;
    kept += character;
  }
  return `${kept}…`;
}
