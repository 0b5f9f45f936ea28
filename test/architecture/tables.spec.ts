import { describe, expect, it } from '@jest/globals';
import { saleTransitions, storedSaleStates } from '@floodgate/contracts';

interface SagaStep {
  name: string;
  undo?: unknown;
}
interface Transitions {
  orderStates: readonly string[];
  firstStates: readonly string[];
  orderTransitions: Record<string, readonly string[]>;
}

// By name, so that the compiler does not take the apps for a part of this project.
const load = (path: string): Promise<any> => import(path);
const { PurchaseSaga } = await load('../../apps/order/src/place-order/purchase.saga.ts');
const order: Transitions = await load('../../apps/order/src/order/order.transitions.ts');
// Only the table is looked at: what its rows would work with does not matter.
const steps: SagaStep[] = new PurchaseSaga({}, {}, {}).steps;

describe('the purchase saga', () => {
  it('can be undone up to the point of no return, and only there', () => {
    expect(sagaFaults(steps)).toEqual([]);
  });

  it('waits for the payment before it, and pays at it', () => {
    const pivot = steps.findIndex((step) => !step.undo);
    expect(steps.slice(pivot - 1, pivot + 1).map((step) => step.name)).toEqual(['await payment', 'mark paid']);
  });

  it('could be wrong', () => {
    expect(sagaFaults([{ name: 'take' }, { name: 'pay', undo: () => undefined }])).toEqual(['pay: an undo after the point of no return']);
    expect(sagaFaults([{ name: 'take', undo: () => undefined }])).toEqual(['no point of no return']);
  });
});

describe('states', () => {
  it('of an order are known and reachable', () => {
    expect(stateFaults(order.orderStates, order.firstStates, order.orderTransitions)).toEqual([]);
  });

  it('of a sale are known and reachable', () => {
    const moves: Record<string, string[]> = { APPROVED: ['ARMED'] };
    for (const { from, to } of Object.values(saleTransitions)) {
      // OPEN is no stored state: the clock makes it of ARMED.
      for (const state of from as readonly string[]) (moves[state === 'OPEN' ? 'ARMED' : state] ??= []).push(to);
    }
    expect(stateFaults(storedSaleStates, ['DRAFT'], moves)).toEqual([]);
  });

  it('could be wrong', () => {
    expect(stateFaults(['A', 'B', 'C'], ['A'], { A: ['B'], B: ['D'] })).toEqual(['C: cannot be reached', 'D: unknown']);
  });
});

function sagaFaults(table: readonly SagaStep[]): string[] {
  const pivot = table.findIndex((step) => !step.undo);
  if (pivot < 0) return ['no point of no return'];
  return table.slice(pivot).filter((step) => step.undo).map((step) => `${step.name}: an undo after the point of no return`);
}

function stateFaults(states: readonly string[], first: readonly string[], moves: Record<string, readonly string[]>): string[] {
  const reached = new Set(first);
  for (const state of reached) for (const next of moves[state] ?? []) reached.add(next);
  const named = new Set([...first, ...Object.keys(moves), ...Object.values(moves).flat()]);
  return [
    ...states.filter((state) => !reached.has(state)).map((state) => `${state}: cannot be reached`),
    ...[...named].filter((state) => !states.includes(state)).map((state) => `${state}: unknown`),
  ];
}
