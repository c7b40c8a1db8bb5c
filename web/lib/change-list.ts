import type { ListSearch } from './list-search.ts';

/** The address of a list after a change; other filters or another order begin at the first page again. */
export function changeList<Search extends ListSearch>(search: Search, change: Partial<Search>): Search {
  const { page, ...rest } = { ...search, page: undefined, ...change };
  const given = Object.entries(rest).filter(([, value]) => value !== undefined && value !== '');
  return { ...Object.fromEntries(given), ...(page === undefined || page === 1 ? {} : { page }) } as Search;
}

/** Is anything left out by a filter or a search? */
export function isFiltered({
  page: _page,
  sort: _sort,
  ...filters
}: ListSearch & Readonly<Record<string, unknown>>): boolean {
  return Object.values(filters).some((value) => value !== undefined && value !== '');
}
