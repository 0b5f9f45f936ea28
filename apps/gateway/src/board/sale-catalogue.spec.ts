import { beforeEach, describe, expect, it } from '@jest/globals';
import type { RequestClient } from '@floodgate/platform';
import { Services } from '../problem/services.js';
import { aSale } from '../testing/gateway.fixture.js';
import { StandInClient } from '../testing/stand-in.client.js';
import { PlatformClock } from './platform-clock.js';
import { SaleCatalogue } from './sale-catalogue.js';

let client: StandInClient;
let catalogue: SaleCatalogue;
beforeEach(() => {
  client = new StandInClient();
  catalogue = new SaleCatalogue(new Services(client as unknown as RequestClient), new PlatformClock());
});

describe('the catalogue', () => {
  it('reads every page of the listing', async () => {
    client.on('list-published', ({ cursor }) => (cursor === null ? { sales: [aSale()], next: 'b' } : { sales: [aSale({ saleId: 'Sale000002' })], next: null }));
    expect(catalogue.isLoaded).toBe(false);
    expect([await catalogue.refresh(), catalogue.isLoaded, [...catalogue.all()].length]).toEqual([true, true, 2]);
  });

  it('applies only newer versions', () => {
    catalogue.approved(aSale({ version: 4 }));
    expect(catalogue.changed({ saleId: 'Sale000001', version: 6, state: 'PAUSED' })).toBe(true);
    catalogue.changed({ saleId: 'Sale000001', version: 5, state: 'ARMED' });
    catalogue.approved(aSale({ version: 3, state: 'APPROVED' }));
    expect(catalogue.get('Sale000001')?.state).toBe('PAUSED');
    expect(catalogue.changed({ saleId: 'Sale000002', version: 1, state: 'ARMED' })).toBe(false);
  });

  it('shares one listing that began after the question', async () => {
    const lists: (() => void)[] = [];
    client.on('list-published', () => new Promise((resolve) => { lists.push(() => resolve({ sales: [], next: null })); }));
    const running = catalogue.refresh();
    const later = [catalogue.refresh(), catalogue.refresh()];
    expect(lists).toHaveLength(1);
    lists[0]?.();
    await running;
    await new Promise((resolve) => { setImmediate(resolve); });
    expect(lists).toHaveLength(2);
    lists[1]?.();
    expect(await Promise.all(later)).toEqual([true, true]);
    expect(client.count('list-published')).toBe(2);
  });

  it('looks an unknown sale up once for all who ask at the same time', async () => {
    client.on('get-sale', () => ({ ok: false, code: 'NOT_FOUND', detail: '' }));
    const found = await Promise.all(Array.from({ length: 20 }, () => catalogue.find('Sale000005')));
    expect(found).toEqual(Array(20).fill(expect.objectContaining({ code: 'SALE_NOT_FOUND' })));
    expect(client.count('get-sale')).toBe(1);
  });

  it('does not list all sales for one of the past, and forgets those', async () => {
    client.on('get-sale', () => ({ ok: true, value: { state: 'ENDED', closesAt: '2020-01-01T00:00:00.000Z' } as never }));
    expect(await catalogue.find('Sale000005')).toMatchObject({ code: 'SALE_NOT_FOUND' });
    expect(client.count('list-published')).toBe(0);
    catalogue.approved(aSale());
    catalogue.approved(aSale({ saleId: 'Sale000002', closesAtMs: Date.now() - 4 * 86_400_000 }));
    catalogue.forgetPast();
    expect([...catalogue.all()].map(({ saleId }) => saleId)).toEqual(['Sale000001']);
  });

  it('turns inventors of ids away when there are too many of them', async () => {
    client.on('get-sale', () => new Promise(() => undefined));
    for (let n = 0; n < 64; n++) void catalogue.find(`Invented${n}`);
    expect(await catalogue.find('Invented99')).toMatchObject({ code: 'OVERLOADED' });
  });
});
