import { accepted } from './accepted.comparison.js';
import type { Comparison } from './comparison.js';
import { refused } from './refused.comparison.js';

/** Every comparison of the bench, in the order in which they are measured and reported. */
export const comparisons: readonly Comparison[] = [accepted, refused];
