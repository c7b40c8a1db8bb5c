import { Box, Table, Text, VisuallyHidden } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import type { ReactNode } from 'react';
import { nextSort } from '../lib/list-search.ts';
import { CardList } from './card-list.tsx';
import classes from './data-table.module.css';
import { ErrorCard } from './error-card.tsx';
import { Icon } from './icon.tsx';
import { Pages } from './pages.tsx';

export interface Column<Row> {
  readonly id: string;
  readonly header: string;
  /** Of a column without a header, for who cannot see what is in it. */
  readonly label?: string;
  readonly cell: (row: Row) => ReactNode;
  /** Figures stand at the right. */
  readonly align?: 'left' | 'right';
  /** Its name in the server's `sort`, where it can be sorted by. */
  readonly sort?: string;
  /** Pixels at least. */
  readonly width?: number;
  /** On narrow screens a row is a card: its title, the mark beside it, the menu of actions, a line of its own (default), or nothing. */
  readonly card?: 'title' | 'mark' | 'menu' | 'line' | 'none';
}

export interface DataTableProps<Row> {
  /** What the table is of, for who cannot see it. */
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rowKey: (row: Row) => string;
  readonly data:
    | { readonly items: readonly Row[]; readonly total: number; readonly page: number; readonly pageSize: number }
    | undefined;
  /** Other rows are on their way; those of before are shown meanwhile. */
  readonly isFetching: boolean;
  readonly error: Error | null;
  readonly onRetry: () => void;
  readonly sort?: string | undefined;
  readonly onSort: (sort: string) => void;
  readonly onPage: (page: number) => void;
  /** In place of the table when there is not one row. */
  readonly empty: ReactNode;
}

const skeletonRows = 8;

/** A page of rows that the server filtered, sorted and cut. Nothing jumps: places are kept while rows are read. */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const isNarrow = useMediaQuery('(max-width: 48em)', window.matchMedia('(max-width: 48em)').matches);
  const { data, error, empty, onRetry, onPage } = props;
  if (error !== null && data === undefined) return <ErrorCard error={error} onRetry={onRetry} />;
  if (data !== undefined && data.total === 0) return <>{empty}</>;
  return (
    <Box aria-busy={props.isFetching}>
      {error === null ? null : <ErrorCard error={error} onRetry={onRetry} />}
      {isNarrow ? <CardList {...props} /> : <WideTable {...props} />}
      {data === undefined ? null : <Pages {...data} onPage={onPage} />}
    </Box>
  );
}

function WideTable<Row>(props: DataTableProps<Row>) {
  const { label, columns, data, rowKey } = props;
  return (
    <div className={classes['region']} role="region" aria-label={label} tabIndex={0}>
      <Table className={classes['table']} highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            {columns.map((column) => (
              <HeadCell key={column.id} column={column} sort={props.sort} onSort={props.onSort} />
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {data === undefined
            ? Array.from({ length: skeletonRows }, (_, index) => <SkeletonRow key={index} columns={columns} />)
            : data.items.map((row) => (
                <Table.Tr key={rowKey(row)}>
                  {columns.map(({ id, align, cell }) => (
                    <Table.Td key={id} className={classes['cell']} data-align={align}>
                      {cell(row)}
                    </Table.Td>
                  ))}
                </Table.Tr>
              ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

interface HeadCellProps<Row> {
  readonly column: Column<Row>;
  readonly sort: string | undefined;
  readonly onSort: (sort: string) => void;
}

function HeadCell<Row>({ column, sort, onSort }: HeadCellProps<Row>) {
  const { header, label, align, width, sort: by } = column;
  if (by === undefined) {
    return (
      <Table.Th miw={width} data-align={align} className={classes['head']}>
        {header === '' ? <VisuallyHidden>{label}</VisuallyHidden> : header}
      </Table.Th>
    );
  }
  const order = sort === by ? 'ascending' : sort === `-${by}` ? 'descending' : 'none';
  return (
    <Table.Th miw={width} data-align={align} aria-sort={order} className={classes['head']}>
      <button type="button" className={classes['sort']} data-order={order} onClick={() => onSort(nextSort(by, sort))}>
        {header}
        <span className={classes['arrow']}>
          <Icon name={order === 'ascending' ? 'up' : 'down'} size={12} />
        </span>
      </button>
    </Table.Th>
  );
}

function SkeletonRow<Row>({ columns }: { readonly columns: readonly Column<Row>[] }) {
  return (
    <Table.Tr aria-hidden="true">
      {columns.map(({ id }) => (
        <Table.Td key={id}>
          <Text component="span" className={classes['skeleton']}>
            &nbsp;
          </Text>
        </Table.Td>
      ))}
    </Table.Tr>
  );
}
