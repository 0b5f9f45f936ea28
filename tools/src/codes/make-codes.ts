import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';

/** No letters that people mistake for another. */
const alphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const length = 16;
const togetherMax = 4_096;

/** Writes a CSV file of this many random codes, 80 bits each. */
export async function makeCodes(count: number, file: string, prefix = ''): Promise<void> {
  const out = createWriteStream(file);
  out.write('code\n');
  for (let left = count; left > 0; left -= togetherMax) {
    const lines: string[] = [];
    const bytes = randomBytes(Math.min(left, togetherMax) * length);
    for (let at = 0; at < bytes.length; at += length) {
      let code = prefix;
      for (let index = at; index < at + length; index++) code += alphabet[bytes[index]! % alphabet.length];
      lines.push(code);
    }
    if (!out.write(`${lines.join('\n')}\n`)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'finish');
}
