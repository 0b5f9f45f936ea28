import { describe, expect, it } from '@jest/globals';

import { parseDemand, wantedProducts } from './demand.js';
import { makePlan } from './plan.js';
import { loadScenario, scenarioNames } from './scenario-file.js';

const planOf = (name: string, seed?: number): ReturnType<typeof makePlan> => {
  const { scenario, csv } = loadScenario(name);
  return makePlan(scenario, csv, seed);
};
const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

describe('the data', () => {
  const lines = parseDemand(loadScenario('first-week').csv, 100);

  it('is the whole first week', () => {
    expect(lines).toHaveLength(7_579);
    expect(new Set(lines.map((line) => line.customer)).size).toBe(302);
    expect(wantedProducts(lines)).toHaveLength(1_685);
  });

  it('reads quoted titles, and caps quantities', () => {
    expect(lines.some((line) => line.title === 'AIRLINE LOUNGE,METAL SIGN')).toBe(true);
    expect(lines.some((line) => line.title === 'RECORD FRAME 7" SINGLE SIZE')).toBe(true);
    expect(Math.max(...lines.map((line) => line.quantity))).toBe(100);
  });

  it('is refused with the number of a line that is no order line', () => {
    const header = 'time,invoice,customer,sku,title,quantity,price_pence';
    expect(() => parseDemand(`${header}\n2010-12-01T08:26:00Z,1,2,3,A,0,425\n`, 100)).toThrow('line 2');
    expect(() => parseDemand('time,sku\n', 100)).toThrow('header');
  });
});

describe('first-week', () => {
  const plan = planOf('first-week');
  const lines = parseDemand(loadScenario('first-week').csv, 100);

  it('offers every product, with the quota and limit of the rule', () => {
    const wanted = wantedProducts(lines);
    expect(plan.items).toHaveLength(1_685);
    plan.items.forEach((item, index) => {
      const { demand, largestLine, largestCustomer } = wanted[index]!;
      // In whole numbers, independent of how the rule rounds: ceil(0.6 × demand) = ceil(3 × demand / 5).
      expect(item.quota).toBe(Math.min(demand, Math.max(largestLine, Math.floor((3 * demand + 4) / 5))));
      expect(item.perAccount).toBe(Math.min(100, largestCustomer));
      expect(item.perAccount).toBeGreaterThanOrEqual(largestLine);
    });
    expect(sum(wanted.map((product) => product.demand))).toBeGreaterThan(sum(plan.items.map((item) => item.quota)));
  });

  it('makes every line one key, in order, within ten seconds', () => {
    const seen = new Set<string>();
    const firsts = plan.presses.filter((press) => !seen.has(press.key) && seen.add(press.key));
    expect(firsts.map((press) => press.key)).toEqual(lines.map((_, index) => `line-${index + 1}`));
    expect(firsts.map((press) => press.buyer)).toEqual(lines.map((line) => `customer-${line.customer}`));
    expect(firsts.map((press) => press.items)).toEqual(lines.map((line) => [{ item: plan.items.findIndex((item) => item.sku === line.sku), quantity: line.quantity }]));
    expect(firsts.at(-1)?.atMs).toBe(10_000);
    const perSecond = Array.from({ length: 10 }, (_, second) => firsts.filter((press) => Math.floor(press.atMs / 1000) === second).length);
    expect(Math.max(...perSecond)).toBeLessThan(1_600);
  });

  it('gives the buyers their fates in the shares of the scenario', () => {
    const names = lines.map((_, index) => plan.fateOf(`line-${index + 1}`).name);
    const share = (name: string): number => names.filter((one) => one === name).length / names.length;
    expect(share('pay')).toBeCloseTo(0.85, 1);
    expect(share('lapse')).toBeCloseTo(0.1, 1);
    expect(share('cancel')).toBeCloseTo(0.05, 1);
    expect(share('decline')).toBe(0);
  });

  it('fits the body of a sale', () => {
    const bytes = Buffer.byteLength(JSON.stringify(plan.items.map((item) => ({ ...item, more: 'x'.repeat(100) }))));
    expect(bytes).toBeLessThan(2 * 2 ** 20);
  });
});

describe('internal-sale', () => {
  const plan = planOf('internal-sale');

  it('offers 2,313 items and 11,238 units, each item at least one', () => {
    expect(plan.items).toHaveLength(2_313);
    expect(new Set(plan.items.map((item) => item.sku)).size).toBe(2_313);
    expect(sum(plan.items.map((item) => item.quota))).toBe(11_238);
    expect(Math.min(...plan.items.map((item) => item.quota))).toBeGreaterThanOrEqual(1);
    expect(plan.items.every((item) => item.perAccount === 1)).toBe(true);
    expect(loadScenario('internal-sale').scenario.sale.perAccount).toBe(4);
  });

  it('peaks at 3,000 attempts a second', () => {
    const first = plan.presses.filter((press) => press.atMs < 1_000).length;
    expect(first).toBeGreaterThan(2_950);
    expect(first).toBeLessThan(3_050);
    expect(plan.presses.filter((press) => press.atMs >= 7_000 && press.atMs < 8_000).length).toBeLessThan(600);
  });

  it('has people who press again, with new keys and with the same', () => {
    const keys = new Set(plan.presses.map((press) => press.key));
    expect(plan.presses.length - keys.size).toBeGreaterThan(500);
    expect([...keys].filter((key) => key.endsWith('-again')).length).toBeGreaterThan(2_000);
  });

  it('wants popular things more', () => {
    const asked = new Map<number, number>();
    for (const press of plan.presses) for (const { item } of press.items) asked.set(item, (asked.get(item) ?? 0) + 1);
    const top = sum([...asked.values()].toSorted((a, b) => b - a).slice(0, 231));
    expect(top / sum([...asked.values()])).toBeGreaterThan(0.3);
  });
});

describe('one-unit', () => {
  it('is 2,000 buyers, two keys each, each sent twice, for one unit', () => {
    const plan = planOf('one-unit');
    expect(plan.items.map((item) => item.quota)).toEqual([1]);
    expect(plan.buyers).toHaveLength(2_000);
    expect(new Set(plan.presses.map((press) => press.key)).size).toBe(4_000);
    expect(plan.presses).toHaveLength(8_000);
    expect(plan.presses.every((press) => plan.fateOf(press.key).name === 'pay')).toBe(true);
  });
});

describe.each(scenarioNames())('%s', (name) => {
  it('is the same for the same seed, and another for another', () => {
    const [one, same, other] = [planOf(name, 7), planOf(name, 7), planOf(name, 8)];
    const fates = (plan: typeof one): unknown => plan.presses.slice(0, 500).map((press) => plan.fateOf(press.key));
    expect(one.presses).toEqual(same.presses);
    expect(one.items).toEqual(same.items);
    expect(fates(one)).toEqual(fates(same));
    expect([other.presses, fates(other)]).not.toEqual([one.presses, fates(one)]);
  });

  it('is in the order of its moments, and asks for what the platform takes', () => {
    const plan = planOf(name);
    expect(plan.presses.every((press, index) => index === 0 || press.atMs >= plan.presses[index - 1]!.atMs)).toBe(true);
    expect(plan.presses.every((press) => press.items.length >= 1 && press.items.length <= 20)).toBe(true);
    expect(plan.presses.every((press) => new Set(press.items.map(({ item }) => item)).size === press.items.length)).toBe(true);
    expect(plan.items.every((item) => /^[A-Za-z0-9._~-]{1,50}$/.test(item.sku))).toBe(true);
  });
});

describe('the names', () => {
  it('begin with the default', () => expect(scenarioNames()).toEqual(['first-week', 'bots', 'internal-sale', 'one-unit']));
  it('refuse what is not there by name', () => expect(() => loadScenario('second-week')).toThrow('there is no scenario second-week'));
});
