import { solveChallenge, type Challenge } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2';

/** Does the work of a puzzle as a browser would, with ALTCHA's own solver. @returns the `solution` of an entry token's request */
export async function solve(puzzle: Challenge): Promise<string> {
  const solution = await solveChallenge({ challenge: puzzle, deriveKey });
  return Buffer.from(JSON.stringify({ challenge: puzzle, solution })).toString('base64');
}
