import { describe, expect, it } from '@jest/globals';
import type { ReleaseReason } from '@floodgate/contracts';
import { SagaRunner } from '../saga/saga.runner.js';
import { isWaiting, type Step } from '../saga/saga.js';
import { PurchaseSaga } from './purchase.saga.js';

// Only the table is of interest here; its acts are replaced by ones that write down that they happened.
const table = new PurchaseSaga({} as never, {} as never, {} as never).steps;
const pivot = table.findIndex((step) => !step.undo);

interface Log {
  happened: string[];
}

/** The same table; the step named fails for the subject `unlucky`, or throws. */
function recorded(failing: string, how: 'refuses' | 'throws' = 'refuses'): SagaRunner<string, Log, ReleaseReason> {
  return new SagaRunner(table.map((step): Step<string, Log, ReleaseReason> => {
    const undo = async (log: Log, subjects: readonly string[]) => void log.happened.push(`undo ${step.name} of ${subjects.join()}`);
    if (isWaiting(step)) return { name: step.name, until: step.until, undo };
    const run = async (log: Log, subjects: readonly string[]) => {
      log.happened.push(`${step.name} of ${subjects.join()}`);
      if (step.name !== failing) return;
      if (how === 'throws') throw new Error('the server is away');
      return subjects.filter((subject) => subject === 'unlucky').map((subject) => ({ subject, reason: 'order-rejected' as const }));
    };
    return step.undo ? { name: step.name, run, undo } : { name: step.name, run };
  }));
}

const namesUpTo = (index: number) => table.slice(0, index + 1).map((step) => step.name);
const undosFrom = (index: number, who: string) => namesUpTo(index).reverse().map((name) => `undo ${name} of ${who}`);

describe('the purchase saga', () => {
  it.each(table.slice(0, pivot).map((step, index) => ({ name: step.name, index })))('undoes every step reached when "$name" fails, it included, newest first', async ({ name, index }) => {
    const log: Log = { happened: [] };
    const runner = recorded(name);
    if (isWaiting(table[index]!)) {
      await runner.start(log, ['lucky', 'unlucky']);
      log.happened = [];
      await runner.undoFrom(name, log, ['unlucky'], 'payment-timeout');
      expect(log.happened).toEqual(undosFrom(index, 'unlucky'));
      return;
    }
    const { reached, undone } = await runner.start(log, ['lucky', 'unlucky']);
    expect({ reached, undone }).toEqual({ reached: ['lucky'], undone: [{ subject: 'unlucky', reason: 'order-rejected' }] });
    const waiting = table.findIndex(isWaiting);
    expect(log.happened).toEqual([
      ...namesUpTo(index).map((step) => `${step} of lucky,unlucky`), ...undosFrom(index, 'unlucky'),
      ...namesUpTo(waiting - 1).slice(index + 1).map((step) => `${step} of lucky`),
    ]);
  });

  it.each(table.slice(pivot).map((step, index) => ({ name: step.name, index: pivot + index })))('never goes back when "$name" fails, but throws to be called again', async ({ name, index }) => {
    const log: Log = { happened: [] };
    await expect(recorded(name).happened('payment.captured', log, ['unlucky'])).rejects.toThrow('after the point of no return');
    await expect(recorded(name).undoFrom(name, log, ['unlucky'], 'payment-timeout')).rejects.toThrow('beyond the point of no return');
    expect(log.happened).toEqual(table.slice(pivot, index + 1).map((step) => `${step.name} of unlucky`));
  });

  it.each(table.filter((step) => !isWaiting(step)).map((step) => step.name))('leaves an outage in "%s" to the transaction: nothing is undone by hand', async (name) => {
    const log: Log = { happened: [] };
    const runner = recorded(name, 'throws');
    const run = namesUpTo(pivot - 1).includes(name) ? runner.start(log, ['lucky']) : runner.happened('payment.captured', log, ['lucky']);
    await expect(run).rejects.toThrow('the server is away');
    expect(log.happened.filter((line) => line.startsWith('undo'))).toEqual([]);
  });
});

describe('a table that breaks the contract', () => {
  const run = async () => undefined;
  const undo = run;
  it.each([
    ['an undo after the point of no return', 'only forward', [{ name: 'a', run }, { name: 'b', run, undo }]],
    ['a wait after the point of no return', 'only forward', [{ name: 'a', run }, { name: 'b', until: 'x', undo }]],
    ['a name twice', 'the same name', [{ name: 'a', run, undo }, { name: 'a', run }]],
  ])('%s is refused', (_, message, steps) => {
    expect(() => new SagaRunner(steps)).toThrow(message);
  });
});
