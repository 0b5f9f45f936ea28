import { expect, it } from '@jest/globals';
import { gaugeFrom, metrics } from './metrics.js';

const seriesOf = async (name: string): Promise<string[]> => (await metrics.metrics()).split('\n').filter((line) => line.startsWith(name));

it('a gauge shows what is so at the scrape, and forgets what has ended', async () => {
  const source = gaugeFrom('test_units', 'Units.', 'sale');
  expect(await seriesOf('test_units')).toEqual([]);
  source.read = () => [[{ sale: 'a' }, 1], [{ sale: 'b' }, 2]];
  expect(await seriesOf('test_units')).toEqual(['test_units{sale="a"} 1', 'test_units{sale="b"} 2']);
  source.read = () => [[{ sale: 'b' }, 3]];
  expect(await seriesOf('test_units')).toEqual(['test_units{sale="b"} 3']);
});

it('one without labels shows nothing rather than a 0 that nobody has said', async () => {
  const source = gaugeFrom('test_level', 'Level.');
  expect(await seriesOf('test_level')).toEqual([]);
  source.read = () => [[{}, 7]];
  expect(await seriesOf('test_level')).toEqual(['test_level 7']);
});
