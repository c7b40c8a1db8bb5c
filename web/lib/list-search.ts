/** What of a list is shown; it stands in the address, so that a page can be sent to a colleague. Values of filters are separated by commas. */
export type ListSearch<Filter extends string = never> = {
  readonly page?: number;
  /** A column, with `-` before it for descending. */
  readonly sort?: string;
  readonly search?: string;
} & { readonly [filter in Filter]?: string };

/** Of an address that anyone may have typed: what is not understood is left out. */
export function parseListSearch<const Filter extends string = never>(
  filters: readonly Filter[],
): (search: Record<string, unknown>) => ListSearch<Filter> {
  return (search) => {
    const texts = [...filters, 'sort', 'search'].flatMap((name) => {
      const value = search[name];
      const isText = typeof value === 'string' || typeof value === 'number';
      return isText && value !== '' ? [[name, String(value)] as const] : [];
    });
    const page = Number(search['page']);
    const isPage = Number.isInteger(page) && page > 1;
    return { ...Object.fromEntries(texts), ...(isPage ? { page } : {}) } as ListSearch<Filter>;
  };
}

/** The next sort of a column that is clicked: ascending, descending. */
export function nextSort(column: string, sort: string | undefined): string {
  return sort === column ? `-${column}` : column;
}

export function valuesOf(filter: string | undefined): readonly string[] {
  return filter === undefined || filter === '' ? [] : filter.split(',');
}
