import { Fragment } from 'react';
import type { Column, DataTableProps } from './data-table.tsx';
import classes from './data-table.module.css';

/** The rows of a table as cards, one below the other. */
export function CardList<Row>({ label, columns, data, rowKey }: DataTableProps<Row>) {
  return (
    <ul className={classes['cards']} aria-label={label}>
      {data === undefined
        ? [1, 2, 3].map((key) => (
            <li key={key} className={`${classes['card']} ${classes['card-skeleton']}`} aria-hidden />
          ))
        : data.items.map((row) => (
            <li key={rowKey(row)} className={classes['card']}>
              <Card columns={columns} row={row} />
            </li>
          ))}
    </ul>
  );
}

function Card<Row>({ columns, row }: { readonly columns: readonly Column<Row>[]; readonly row: Row }) {
  const of = (...places: readonly Column<Row>['card'][]) => columns.filter(({ card }) => places.includes(card));
  const part = ({ id, cell }: Column<Row>) => <Fragment key={id}>{cell(row)}</Fragment>;
  return (
    <>
      <div className={classes['card-top']}>
        <div className={classes['card-title']}>{of('title').map(part)}</div>
        {of('menu').map(part)}
      </div>
      {of('mark').map(part)}
      <dl className={classes['card-lines']}>
        {of('line', undefined).map(({ id, header, cell }) => (
          <div key={id}>
            <dt>{header}</dt>
            <dd>{cell(row)}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
