import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import type { Resource } from '../../../src/api/resources.ts';
import type { Column } from '../../components/data-table.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { Age, Nothing } from '../../components/figures.tsx';
import { FilterMenu } from '../../components/filter-menu.tsx';
import { AnchorLink, ButtonLink } from '../../components/links.tsx';
import { StatusMark } from '../../components/status-mark.tsx';
import { ListPage } from '../../components/list-page.tsx';
import { askingList } from '../../lib/api.ts';
import { changeList } from '../../lib/change-list.ts';
import { locationLooks, optionsOf } from '../../lib/inventory-looks.ts';
import { describePlace, describeType } from './location-draft.ts';
import { useMay } from '../../lib/may.ts';

const route = getRouteApi('/shell/locations');
type Row = Resource<'StorageLocation'>;

export function LocationList() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const locations = useQuery(askingList('listLocations', { query: { sort: 'name', ...search } }));
  const change = (to: Partial<typeof search>): void => void navigate({ search: changeList(search, to), replace: true });
  const clear = (): void => change({ search: undefined, state: undefined });
  return (
    <ListPage
      title="Storage Locations"
      lead="Buckets and directories in which backups are stored."
      what="storage locations"
      primary={<AddLocation />}
      search={search}
      onChange={change}
      onClear={clear}
      filters={
        <FilterMenu
          label="State"
          options={optionsOf(locationLooks)}
          value={search.state}
          onChange={(state) => change({ state })}
        />
      }
      rows={locations}
      columns={columns}
      sort="name"
      empty={<NoLocations />}
    />
  );
}

const columns: readonly Column<Row>[] = [
  {
    id: 'state',
    header: 'State',
    sort: 'state',
    width: 140,
    card: 'mark',
    cell: ({ status }) => <StatusMark {...locationLooks[status.state]} />,
  },
  {
    id: 'name',
    header: 'Name',
    sort: 'name',
    card: 'title',
    cell: ({ name }) => (
      <AnchorLink to="/locations/$name" params={{ name }} inherit fw={500}>
        {name}
      </AnchorLink>
    ),
  },
  { id: 'type', header: 'Type', sort: 'type', cell: ({ spec }) => describeType(spec.place) },
  {
    id: 'place',
    header: 'Bucket or path',
    cell: ({ spec }) => (
      <Text component="span" inherit style={{ overflowWrap: 'anywhere' }}>
        {describePlace(spec.place)}
      </Text>
    ),
  },
  {
    id: 'encrypted',
    header: 'Encrypted',
    cell: ({ spec }) => (spec.isEncrypted ? 'yes' : 'no'),
  },
  {
    id: 'tested',
    header: 'Tested',
    align: 'right',
    cell: ({ status }) => (status.testedAt === undefined ? <Nothing /> : <Age at={status.testedAt} />),
  },
];

function AddLocation() {
  return useMay('admin') ? <ButtonLink to="/locations/-/new">Add a storage location</ButtonLink> : null;
}

function NoLocations() {
  return (
    <EmptyState title="No storage locations yet" icon="location" actions={<AddLocation />}>
      <Text size="sm">
        A storage location is a bucket or a directory with what is needed to use it. It is tested before it is added:
        Holdfast writes, reads back, lists and deletes.
      </Text>
    </EmptyState>
  );
}
