export { solveChallenge } from '../../tools/src/scenario/solve-challenge.js';
