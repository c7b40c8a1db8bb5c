import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import type { Resource } from '../../../src/api/resources.ts';
import type { Column } from '../../components/data-table.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { Nothing, Time } from '../../components/figures.tsx';
import { FilterMenu } from '../../components/filter-menu.tsx';
import { AnchorLink, ButtonLink } from '../../components/links.tsx';
import { RunDuration, RunMark, runStateOptions } from '../../components/run-cells.tsx';
import { ListPage } from '../../components/list-page.tsx';
import { askingList } from '../../lib/api.ts';
import { changeList } from '../../lib/change-list.ts';
import { useMay } from '../../lib/may.ts';
import { StartDrill } from './start-drill.tsx';

const route = getRouteApi('/shell/drills');
type Row = Resource<'Drill'>;
const newestFirst = '-createdAt';

export function DrillList() {
  const { start, ...search } = route.useSearch();
  const navigate = route.useNavigate();
  const mayStart = useMay('operator');
  const drills = useQuery(askingList('listDrills', { query: { sort: newestFirst, ...search } }));
  const change = (to: Partial<typeof search>): void => void navigate({ search: changeList(search, to), replace: true });
  const clear = (): void => change({ search: undefined, state: undefined, backup: undefined });
  return (
    <ListPage
      title="Drills"
      lead={
        search.backup === undefined
          ? 'Automatic test restores: a backup is restored on the side, a server started on it and its tables checked.'
          : `Of the backup ${search.backup}.`
      }
      what="drills"
      primary={<ChooseBackup />}
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
      rows={drills}
      columns={columns}
      sort={newestFirst}
      empty={<NoDrills />}
    >
      <StartDrill backup={mayStart ? start : undefined} onClose={() => void navigate({ search, replace: true })} />
    </ListPage>
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
      <AnchorLink to="/drills/$name" params={{ name }} inherit fw={500}>
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
  { id: 'agent', header: 'Host', sort: 'agent', cell: ({ spec }) => spec.agent },
  {
    id: 'depth',
    header: 'Depth',
    cell: ({ spec }) => (spec.withChecksums ? `${spec.depth}, checksums` : spec.depth),
  },
  {
    id: 'tables',
    header: 'Tables',
    align: 'right',
    cell: ({ status }) => status.result?.tables.toLocaleString('en') ?? <Nothing />,
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

function ChooseBackup() {
  return useMay('operator') ? (
    <ButtonLink to="/backups" search={{ state: 'Succeeded' }}>
      Choose a backup
    </ButtonLink>
  ) : null;
}

function NoDrills() {
  return (
    <EmptyState title="Nothing was proven yet" icon="drill" actions={<ChooseBackup />}>
      <Text size="sm">
        A backup that was never restored is a hope. A drill restores it into a scratch directory, starts a server on it,
        and checks its tables. Choose a backup and start a drill.
      </Text>
    </EmptyState>
  );
}
