import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import type { Resource } from '../../../src/api/resources.ts';
import type { Column } from '../../components/data-table.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { Bytes, Nothing } from '../../components/figures.tsx';
import { FilterMenu } from '../../components/filter-menu.tsx';
import { AnchorLink, ButtonLink } from '../../components/links.tsx';
import { StatusMark } from '../../components/status-mark.tsx';
import { ListPage } from '../../components/list-page.tsx';
import { askingList } from '../../lib/api.ts';
import { changeList } from '../../lib/change-list.ts';
import { formatVersion } from '../../lib/format.ts';
import { optionsOf, serviceLooks } from '../../lib/inventory-looks.ts';
import { useMay } from '../../lib/may.ts';

const route = getRouteApi('/shell/services');
type Row = Resource<'Service'>;

export function ServiceList() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const services = useQuery(askingList('listServices', { query: { sort: 'name', ...search } }));
  const change = (to: Partial<typeof search>): void => void navigate({ search: changeList(search, to), replace: true });
  const clear = (): void => change({ search: undefined, state: undefined });
  return (
    <ListPage
      title="Services"
      lead="The database servers that Holdfast protects."
      what="services"
      primary={<AddService />}
      search={search}
      onChange={change}
      onClear={clear}
      filters={
        <FilterMenu
          label="State"
          options={optionsOf(serviceLooks)}
          value={search.state}
          onChange={(state) => change({ state })}
        />
      }
      rows={services}
      columns={columns}
      sort="name"
      empty={<NoServices />}
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
    cell: ({ status }) => <StatusMark {...serviceLooks[status.state]} />,
  },
  {
    id: 'name',
    header: 'Name',
    sort: 'name',
    card: 'title',
    cell: ({ name }) => (
      <AnchorLink to="/services/$name" params={{ name }} inherit fw={500}>
        {name}
      </AnchorLink>
    ),
  },
  {
    id: 'technology',
    header: 'DB technology',
    sort: 'technology',
    cell: ({ status: { vendor, version = '' } }) =>
      vendor === undefined ? <Nothing /> : `${vendor} ${formatVersion(version)}`,
  },
  { id: 'engine', header: 'Engine', cell: ({ status }) => status.engine ?? <Nothing /> },
  {
    id: 'agent',
    header: 'Agent',
    sort: 'agent',
    cell: ({ spec }) => (
      <AnchorLink to="/agents/$name" params={{ name: spec.agent }} inherit>
        {spec.agent}
      </AnchorLink>
    ),
  },
  { id: 'cluster', header: 'Cluster label', cell: ({ spec }) => spec.clusterLabel ?? <Nothing /> },
  {
    id: 'size',
    header: 'Size of data',
    sort: 'dataBytes',
    align: 'right',
    cell: ({ status }) => <Bytes value={status.dataBytes} />,
  },
];

function AddService() {
  return useMay('admin') ? <ButtonLink to="/services/-/new">Add a service</ButtonLink> : null;
}

function NoServices() {
  return (
    <EmptyState title="No services yet" icon="service" actions={<AddService />}>
      <Text size="sm">
        A service is a database server with a Holdfast agent beside it. Add one, and it can be backed up, restored and
        proven from here.
      </Text>
    </EmptyState>
  );
}
