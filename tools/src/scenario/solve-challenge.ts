import { pbkdf2Sync } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';

import { solveChallenge as solve, type Challenge } from 'altcha-lib';

/** About half a millisecond. */
const triesPerTurn = 16;

/**
 * Does the work that a sale's puzzle asks for.
 * @param puzzle `puzzle` of `POST /v1/sales/{saleId}/challenge`
 * @returns what goes into `solution` of the entry token's request, as ALTCHA's widget writes it
 */
export async function solveChallenge(puzzle: Challenge): Promise<string> {
  let tries = 0;
  // The library's own asks the thread pool for every try; most of the time would go there. Now and then everybody else has a turn.
  const deriveKey: Parameters<typeof solve>[0]['deriveKey'] = async (parameters, salt, password) => {
    if (++tries % triesPerTurn === 0) await setImmediate();
    return { derivedKey: pbkdf2Sync(password, salt, parameters.cost, parameters.keyLength, 'sha256') };
  };
  const solution = await solve({ challenge: puzzle, deriveKey });
  if (!solution) throw new Error('the puzzle could not be solved in time');
  return Buffer.from(JSON.stringify({ challenge: puzzle, solution })).toString('base64');
}
