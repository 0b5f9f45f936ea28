import type { OutboundAnswer } from '@floodgate/platform';
import type { Sent, TeamMessage } from '../channels/team-channel.js';

const jsonHeaders = { 'content-type': 'application/json; charset=utf-8' };

export const jsonRequest = (url: string, body: object) => ({ url, headers: jsonHeaders, body: JSON.stringify(body) });

/** Title, lines and link, one below the other. */
export const plainText = ({ title, lines, link }: TeamMessage): string => [title, ...lines, ...(link === null ? [] : [link])].join('\n');

/** The body as JSON; an empty object for anything else, which then has no good code. */
export function jsonOf({ body }: OutboundAnswer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {}; // a proxy's page, say: the status alone tells
  }
}

/**
 * What an answer says that carries its code in the body.
 * @param wait milliseconds to be left alone by code, for those that mean "too many"
 */
export function readCode(answer: OutboundAnswer, code: unknown, text: unknown, wait: Record<number, number>): Sent {
  if (answer.status === 200 && code === 0) return { ok: true };
  const error = `HTTP ${answer.status}, code ${typeof code === 'number' ? code : 'none'}: ${typeof text === 'string' ? text.slice(0, 200) : ''}`;
  const waitMs = (typeof code === 'number' ? wait[code] : undefined) ?? waitAsked(answer);
  return waitMs === undefined ? { ok: false, error } : { ok: false, error, waitMs };
}

/** What an answer says whose status tells. */
export function readStatus(answer: OutboundAnswer): Sent {
  if (answer.status >= 200 && answer.status < 300) return { ok: true };
  const error = `HTTP ${answer.status}: ${answer.body.toString('utf8').slice(0, 200)}`;
  const waitMs = waitAsked(answer);
  return waitMs === undefined ? { ok: false, error } : { ok: false, error, waitMs };
}

/** `Retry-After` in seconds. An hour at most: whoever asks for more is asked again anyway. */
function waitAsked({ headers }: OutboundAnswer): number | undefined {
  const text = headers['retry-after'];
  return typeof text === 'string' && /^\d{1,6}$/.test(text) ? Math.min(Number(text), 3_600) * 1_000 : undefined;
}
