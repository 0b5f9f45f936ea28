import type { SaleInput } from './sale-input.js';

/** A part of the contract that is refused by name until it works, so that nobody's choice is accepted and then ignored. */
export interface UnbuiltFeature {
  /** JSON pointer to the field that asks for it. */
  path: string;
  feature: string;
}

/** Every feature that this input asks for and the platform does not have yet. */
export function unbuiltFeatures(input: Partial<SaleInput>): UnbuiltFeature[] {
  const asked: [boolean, string, string][] = [
    [input.mode === 'lottery', '/mode', 'lottery'],
  ];
  return asked.filter(([isAsked]) => isAsked).map(([, path, feature]) => ({ path, feature }));
}
