import { expect, test } from 'vitest';
import { changeList, isFiltered } from './change-list.ts';
import type { ListSearch } from './list-search.ts';

test('another filter begins at the first page, another page keeps the filters', () => {
  const search = { page: 3, sort: 'name', search: 'shop', state: 'Failed' };
  expect(changeList(search, { state: 'Running' })).toEqual({ sort: 'name', search: 'shop', state: 'Running' });
  expect(changeList(search, { page: 4 })).toEqual({ ...search, page: 4 });
  expect(changeList(search, { state: undefined, search: '' })).toEqual({ sort: 'name' });
});

test('an order or a page leaves nothing out', () => {
  expect(isFiltered({ page: 2, sort: '-name' })).toBe(false);
  expect(isFiltered({ search: 'x' })).toBe(true);
  expect(isFiltered(changeList<ListSearch<'state'>>({}, { state: 'Failed' }))).toBe(true);
});
