import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import type { Resource } from '../../../src/api/resources.ts';
import type { Column } from '../../components/data-table.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { Time } from '../../components/figures.tsx';
import { FilterMenu } from '../../components/filter-menu.tsx';
import { AnchorLink, ButtonLink } from '../../components/links.tsx';
import { May } from '../../components/may.tsx';
import { RunDuration, RunMark, runStateOptions } from '../../components/run-cells.tsx';
import { ListPage } from '../../components/list-page.tsx';
import { askingList } from '../../lib/api.ts';
import { changeList } from '../../lib/change-list.ts';
import { describeTarget } from './describe-target.ts';

const route = getRouteApi('/shell/restores');
type Row = Resource<'Restore'>;
const newestFirst = '-createdAt';

export function RestoreList() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const restores = useQuery(askingList('listRestores', { query: { sort: newestFirst, ...search } }));
  const change = (to: Partial<typeof search>): void => void navigate({ search: changeList(search, to), replace: true });
  const clear = (): void => change({ search: undefined, state: undefined, backup: undefined });
  return (
    <ListPage
      title="Restores"
      lead={search.backup === undefined ? 'Newest first.' : `Of the backup ${search.backup}.`}
      what="restores"
      search={search}
      onChange={change}
      onClear={clear}
      filters={
        <FilterMenu
          label="State"
          options={runStateOptions}
          value={search.state}
          onChange={(state) => change({ state })}
        />
      }
      rows={restores}
      columns={columns}
      sort={newestFirst}
      empty={<NoRestores />}
    />
  );
}

const columns: readonly Column<Row>[] = [
  { id: 'state', header: 'State', sort: 'state', width: 130, card: 'mark', cell: (row) => <RunMark run={row} /> },
  {
    id: 'name',
    header: 'Name',
    sort: 'name',
    card: 'title',
    cell: ({ name }) => (
      <AnchorLink to="/restores/$name" params={{ name }} inherit fw={500}>
        {name}
      </AnchorLink>
    ),
  },
  {
    id: 'backup',
    header: 'Backup',
    sort: 'backup',
    cell: ({ spec }) => (
      <AnchorLink to="/backups/$name" params={{ name: spec.backup }} inherit>
        {spec.backup}
      </AnchorLink>
    ),
  },
  {
    id: 'target',
    header: 'Onto',
    cell: ({ spec }) => (
      <Text component="span" inherit style={{ overflowWrap: 'anywhere' }}>
        {describeTarget(spec)}
      </Text>
    ),
  },
  { id: 'created', header: 'Asked for', sort: 'createdAt', cell: ({ createdAt }) => <Time at={createdAt} /> },
  {
    id: 'duration',
    header: 'Duration',
    sort: 'durationMs',
    align: 'right',
    cell: (row) => <RunDuration status={row.status} />,
  },
];

function NoRestores() {
  return (
    <EmptyState
      title="Nothing was restored yet"
      icon="restore"
      actions={
        <May needs="operator">
          <ButtonLink to="/backups" search={{ state: 'Succeeded' }}>
            Choose a backup
          </ButtonLink>
        </May>
      }
    >
      <Text size="sm">
        A restore begins at a backup. Before anything is touched you see what will happen, how long it takes and when a
        server stands still. To see whether a backup restores at all, a drill does it on the side.
      </Text>
    </EmptyState>
  );
}
