import { Text } from '@mantine/core';
import { Section } from '../../components/section.tsx';
import { formatBytes } from '../../../src/api/figures.ts';
import { formatPercent } from '../../lib/format.ts';
import type { Backup } from './backup-actions.tsx';
import classes from './where-the-space-went.module.css';

type Result = NonNullable<Backup['status']['result']>;

/** How much the backup holds, and how little of it had to be stored anew. */
export function WhereTheSpaceWent({ result }: { readonly result: Result }) {
  const { logicalBytes, storedBytes, parent } = result;
  const percent = logicalBytes === 0 ? 0 : Math.min(100, (100 * storedBytes) / logicalBytes);
  return (
    <Section title="Where the space went">
      <dl className={classes['bars']}>
        <dt>Holds</dt>
        <dd>
          <span className={classes['track']}>
            <span className={classes['logical']} style={{ width: '100%' }} />
          </span>
          <span className="figures">{formatBytes(logicalBytes)}</span>
        </dd>
        <dt>Stored anew</dt>
        <dd>
          <span className={classes['track']}>
            <span className={classes['stored']} style={{ width: `${Math.max(0.5, percent)}%` }} />
          </span>
          <span className="figures">{formatBytes(storedBytes)}</span>
        </dd>
      </dl>
      <Text size="sm" c="dimmed">
        {formatPercent(storedBytes, logicalBytes)} of what it holds was stored for it.{' '}
        {parent === undefined
          ? 'It is the first of its lineage: the rest is what compression saved, and what occurs more than once.'
          : 'The rest was in the repository already or is what compression saved. It restores by itself all the same.'}
      </Text>
    </Section>
  );
}
