import { accepted } from './accepted.comparison.js';
import type { Comparison } from './comparison.js';
import { hop } from './hop.comparison.js';
import { paced } from './paced.comparison.js';
import { refused } from './refused.comparison.js';
import { scriptReserved, scriptSoldOut } from './script.comparison.js';

/** Every comparison of the bench, in the order in which they are measured and reported. */
export const comparisons: readonly Comparison[] = [accepted, refused, paced, hop, scriptReserved, scriptSoldOut];
