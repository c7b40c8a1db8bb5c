import { expect, test } from 'vitest';
import { addressOf } from './address.ts';
import { nextSort, parseListSearch, valuesOf } from './list-search.ts';

test('what an address says of a list is taken where it is understood', () => {
  const parse = parseListSearch(['state']);
  expect(parse({ state: 'Failed', sort: '-name', search: 17, page: 3, other: 'x' })).toEqual({
    state: 'Failed',
    sort: '-name',
    search: '17',
    page: 3,
  });
  expect(parse({ page: -1, state: ['a'], search: '' })).toEqual({});
});

test('a column is sorted one way, then the other', () => {
  expect([nextSort('name', undefined), nextSort('name', 'name'), nextSort('name', '-name')]).toEqual([
    'name',
    '-name',
    'name',
  ]);
  expect(valuesOf(undefined)).toEqual([]);
  expect(valuesOf('a,b')).toEqual(['a', 'b']);
});

test('an address has its names encoded, and no empty parts', () => {
  const address = addressOf('/backups/:name/log', {
    params: { name: 'a:b/c' },
    query: { from: 0, search: '', page: undefined },
  });
  expect(address).toBe('/backups/a%3Ab%2Fc/log?from=0');
});
