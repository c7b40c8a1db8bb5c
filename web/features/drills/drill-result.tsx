import { Button, CopyButton, Group, Text, TextInput } from '@mantine/core';
import { useMemo, useState } from 'react';
import type { StatusOf } from '../../../src/api/resources.ts';
import { Icon } from '../../components/icon.tsx';
import { Section } from '../../components/section.tsx';
import { StatusMark } from '../../components/status-mark.tsx';
import { formatDuration, plural } from '../../../src/api/figures.ts';
import { formatVersion } from '../../lib/format.ts';
import classes from './drill-result.module.css';

type Result = NonNullable<StatusOf<'Drill'>['result']>;

/** What a drill found out. */
export function DrillResult({ name, result }: { readonly name: string; readonly result: Result }) {
  const { serverVersion, tables, views, unchecked, steps, checksums } = result;
  // A restore does not look into each table.
  const restoreMs = steps.reduce((sum, { name: step, ms }) => (step === 'check' ? sum : sum + ms), 0);
  return (
    <>
      <Section title="It restores">
        <Text size="sm" component="div">
          <StatusMark tone="good" word="Proven" /> A server of version {formatVersion(serverVersion)} started on the
          restored data and found {plural(tables - unchecked.length, 'table')}
          {views === 0 ? '' : ` and ${plural(views, 'view')}`} in order. Until it had started it took{' '}
          {formatDuration(restoreMs)}: so long a restore takes on that host.
        </Text>
        {unchecked.length === 0 ? null : (
          <Text size="sm" component="div">
            <StatusMark tone="doubtful" word="Not checked" /> as the server cannot look into them:{' '}
            {unchecked.join(', ')}
          </Text>
        )}
      </Section>
      {Object.keys(checksums).length === 0 ? null : <Checksums name={name} checksums={checksums} />}
    </>
  );
}

/** More are in the copied text. */
const maximumShown = 500;

function Checksums({
  name,
  checksums,
}: {
  readonly name: string;
  readonly checksums: Readonly<Record<string, string>>;
}) {
  const [search, setSearch] = useState('');
  const all = useMemo(() => Object.entries(checksums).toSorted(([a], [b]) => a.localeCompare(b)), [checksums]);
  const found = all.filter(([table]) => table.toLowerCase().includes(search.toLowerCase()));
  return (
    <Section title="Checksums" aside={<CopyAll lines={all.map(([table, sum]) => `${table}\t${sum}`)} />}>
      <Group gap="xs">
        <TextInput
          type="search"
          size="xs"
          aria-label="Search tables"
          placeholder="Search tables"
          leftSection={<Icon name="search" size={14} />}
          value={search}
          onChange={({ currentTarget }) => setSearch(currentTarget.value)}
        />
        <Text size="xs" c="dimmed" className="figures">
          {found.length > maximumShown
            ? `${maximumShown} of ${plural(found.length, 'table')}`
            : plural(found.length, 'table')}
        </Text>
      </Group>
      <div className={classes['region']} tabIndex={0} role="region" aria-label={`Checksums of ${name}`}>
        <table className={classes['table']}>
          <thead>
            <tr>
              <th scope="col">Table</th>
              <th scope="col">CHECKSUM TABLE</th>
            </tr>
          </thead>
          <tbody>
            {found.slice(0, maximumShown).map(([table, sum]) => (
              <tr key={table}>
                <td>{table}</td>
                <td>{sum}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

function CopyAll({ lines }: { readonly lines: readonly string[] }) {
  return (
    <CopyButton value={lines.join('\n')}>
      {({ copied, copy }) => (
        <Button size="compact-sm" variant="default" leftSection={<Icon name="copy" size={14} />} onClick={copy}>
          {copied ? 'Copied' : 'Copy all'}
        </Button>
      )}
    </CopyButton>
  );
}
