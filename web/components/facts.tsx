import { Fragment, type ReactNode } from 'react';
import classes from './facts.module.css';
import { Nothing } from './figures.tsx';

/** Names and values, one below the other; a value that is undefined is a dash. */
export function Facts({ facts }: { readonly facts: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <dl className={classes['facts']}>
      {facts.map(([name, value]) => (
        <Fragment key={name}>
          <dt>{name}</dt>
          <dd>{value ?? <Nothing />}</dd>
        </Fragment>
      ))}
    </dl>
  );
}
