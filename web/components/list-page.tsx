import type { ReactNode } from 'react';
import { isFiltered } from '../lib/change-list.ts';
import type { ListSearch } from '../lib/list-search.ts';
import { type Column, DataTable, type DataTableProps } from './data-table.tsx';
import { FilterBar } from './filter-bar.tsx';
import { NothingMatches } from './nothing-matches.tsx';
import { PageHeader, type PageHeaderProps } from './page-header.tsx';

export interface ListPageProps<Row> extends Pick<PageHeaderProps, 'title' | 'lead' | 'primary'> {
  /** What it lists, in the plural: `storage locations`. */
  readonly what: string;
  /** As it stands in the address. */
  readonly search: ListSearch & Readonly<Record<string, unknown>>;
  readonly onChange: (change: ListSearch) => void;
  readonly onClear: () => void;
  /** FilterMenus. */
  readonly filters: ReactNode;
  /** Of useQuery. */
  readonly rows: Pick<DataTableProps<Row>, 'data' | 'isFetching' | 'error'> & { readonly refetch: () => unknown };
  readonly columns: readonly Column<Row>[];
  /** The order where the address names none. */
  readonly sort: string;
  /** In place of the table when there is nothing at all. */
  readonly empty: ReactNode;
  /** Dialogs, and what went wrong in them. */
  readonly children?: ReactNode;
}

/** A page with a list that is searched, filtered, sorted and paged: what all of them have in common. */
export function ListPage<Row extends { readonly uid: string }>(props: ListPageProps<Row>) {
  const { what, search, onChange, onClear, rows } = props;
  const hasFilters = isFiltered(search);
  return (
    <>
      <PageHeader title={props.title} lead={props.lead} primary={props.primary} />
      <FilterBar
        search={search.search}
        searchLabel={`Search ${what} by name`}
        onSearch={(text) => onChange({ search: text })}
        isFiltered={hasFilters}
        onClear={onClear}
      >
        {props.filters}
      </FilterBar>
      {props.children}
      <DataTable
        label={`${what.charAt(0).toUpperCase()}${what.slice(1)}`}
        columns={props.columns}
        rowKey={({ uid }) => uid}
        data={rows.data}
        isFetching={rows.isFetching}
        error={rows.error}
        onRetry={() => void rows.refetch()}
        sort={search.sort ?? props.sort}
        onSort={(sort) => onChange({ sort })}
        onPage={(page) => onChange({ page })}
        empty={hasFilters ? <NothingMatches onClear={onClear} /> : props.empty}
      />
    </>
  );
}
