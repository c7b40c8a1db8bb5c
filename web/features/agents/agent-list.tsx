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
import { describeServer } from '../../lib/describe-server.ts';
import { agentLooks, optionsOf } from '../../lib/inventory-looks.ts';
import { useMay } from '../../lib/may.ts';

const route = getRouteApi('/shell/agents');
type Row = Resource<'Agent'>;

export function AgentList() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const agents = useQuery(askingList('listAgents', { query: { sort: 'name', ...search } }));
  const change = (to: Partial<typeof search>): void => void navigate({ search: changeList(search, to), replace: true });
  const clear = (): void => change({ search: undefined, state: undefined });
  return (
    <ListPage
      title="Agents"
      lead="The Holdfast agents beside your database servers, and on hosts for drills."
      what="agents"
      primary={<AddAgent />}
      search={search}
      onChange={change}
      onClear={clear}
      filters={
        <FilterMenu
          label="State"
          options={optionsOf(agentLooks)}
          value={search.state}
          onChange={(state) => change({ state })}
        />
      }
      rows={agents}
      columns={columns}
      sort="name"
      empty={<NoAgents />}
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
    cell: ({ status }) => <StatusMark {...agentLooks[status.state]} />,
  },
  {
    id: 'name',
    header: 'Name',
    sort: 'name',
    card: 'title',
    cell: ({ name }) => (
      <AnchorLink to="/agents/$name" params={{ name }} inherit fw={500}>
        {name}
      </AnchorLink>
    ),
  },
  { id: 'host', header: 'Host', cell: ({ status }) => status.hostname ?? <Nothing /> },
  { id: 'server', header: 'Database server', cell: ({ status }) => describeServer(status) },
  { id: 'version', header: 'Version', cell: ({ status }) => status.version ?? <Nothing /> },
  { id: 'may', header: 'Restores', cell: ({ status }) => mayRestore(status) },
  {
    id: 'seen',
    header: 'Heard of',
    sort: 'lastSeenAt',
    align: 'right',
    cell: ({ status }) => (status.lastSeenAt === undefined ? <Nothing /> : <Age at={status.lastSeenAt} />),
  },
];

function mayRestore({ mayRestoreInPlace, restoreDirectories }: Row['status']): string {
  const parts = [
    ...(mayRestoreInPlace ? ['in place'] : []),
    ...(restoreDirectories.length > 0 ? ['into directories'] : []),
  ];
  return parts.length === 0 ? 'none' : parts.join(', ');
}

function AddAgent() {
  return useMay('admin') ? <ButtonLink to="/agents/-/new">Add an agent</ButtonLink> : null;
}

function NoAgents() {
  return (
    <EmptyState title="No agent has joined yet" icon="agent" actions={<AddAgent />}>
      <Text size="sm">
        An agent is the part of Holdfast that runs beside a database server: it backs up, restores and drills. One
        command on the host lets it join; you get the command here.
      </Text>
    </EmptyState>
  );
}
