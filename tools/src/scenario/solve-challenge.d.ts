import { type Challenge } from 'altcha-lib';
/**
 * Does the work that a sale's puzzle asks for.
 * @param puzzle `puzzle` of `POST /v1/sales/{saleId}/challenge`
 * @returns what goes into `solution` of the entry token's request, as ALTCHA's widget writes it
 */
export declare function solveChallenge(puzzle: Challenge): Promise<string>;
//# sourceMappingURL=solve-challenge.d.ts.map