import { isUtf8 } from 'node:buffer';
import type { Fault } from './fault-messages.js';

/** A body as it came, and what it says. `faults` name what no schema can see; `value` is undefined where there is no JSON. */
export interface JsonBody {
  raw: Buffer;
  value: unknown;
  faults: Fault[];
}

const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype']);
const utf8 = new TextDecoder('utf-8');

/**
 * Reads a JSON body. Faults are values, so that they are reported together with those of headers and path.
 * Of keys given twice the last one counts, as JSON.parse has it.
 */
export function readJsonBody(raw: Buffer): JsonBody {
  if (raw.length === 0) return { raw, value: undefined, faults: [] };
  if (!isUtf8(raw)) return { raw, value: undefined, faults: [{ path: '', message: 'is not valid UTF-8' }] };
  const text = utf8.decode(raw);
  try {
    const value: unknown = JSON.parse(text);
    return { raw, value, faults: isSuspicious(text) ? findUnusable(value) : [] };
  } catch {
    // The parser's message quotes the body; the client has it already, and logs must not.
    return { raw, value: undefined, faults: [{ path: '', message: 'is not valid JSON' }] };
  }
}

/** Escapes hide what Postgres cannot store and names that reach prototypes; a text without them needs no walk. */
const isSuspicious = (text: string): boolean => text.includes('\\u') || text.includes('proto') || text.includes('constructor');

/** Walks without recursion: a body may be nested deeper than the call stack. */
function findUnusable(root: unknown): Fault[] {
  const faults: Fault[] = [];
  const waiting: { path: string; value: unknown }[] = [{ path: '', value: root }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { path, value } = next;
    if (typeof value === 'string' && !isStorable(value)) faults.push({ path, message: 'must be text without null characters or broken surrogates' });
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, member] of Object.entries(value)) {
      const at = `${path.length > 512 ? '' : path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      if (forbiddenKeys.has(key)) faults.push({ path: at, message: 'is not a known field' });
      waiting.push({ path: at, value: member });
    }
  }
  return faults.slice(0, 100);
}

/** Whether every store takes this text: Postgres refuses U+0000, and a lone surrogate changes on its way through UTF-8. */
export const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();
