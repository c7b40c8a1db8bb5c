import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useMemo } from 'react';
import { DataTable } from '../../components/data-table.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { FilterBar } from '../../components/filter-bar.tsx';
import { Icon } from '../../components/icon.tsx';
import { ButtonLink } from '../../components/links.tsx';
import { NothingMatches } from '../../components/nothing-matches.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { askingList } from '../../lib/api.ts';
import { changeList, isFiltered } from '../../lib/change-list.ts';
import { useMay } from '../../lib/may.ts';
import { runLooks } from '../../lib/states.ts';
import { useBackupActions } from './backup-actions.tsx';
import { backupColumns } from './backup-columns.tsx';
import { BackupFilters } from './backup-filters.tsx';

const route = getRouteApi('/shell/backups');
const newestFirst = '-createdAt';
/** Who looks for deleted ones asks for them by the filter. */
const allButDeleted = Object.keys(runLooks)
  .filter((state) => state !== 'Deleted')
  .join(',');

export function BackupList() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const backups = useQuery(
    askingList('listBackups', { query: { sort: newestFirst, state: allButDeleted, ...search } }),
  );
  const { act, dialogs } = useBackupActions();
  const columns = useMemo(() => backupColumns(act), [act]);
  const change = (to: Partial<typeof search>): void => void navigate({ search: changeList(search, to), replace: true });
  const clear = (): void => void navigate({ search: search.sort === undefined ? {} : { sort: search.sort } });
  return (
    <>
      <PageHeader title="All Backups" primary={<CreateBackup />} />
      <FilterBar
        search={search.search}
        searchLabel="Search backups by name"
        onSearch={(text) => change({ search: text })}
        isFiltered={isFiltered(search)}
        onClear={clear}
      >
        <BackupFilters search={search} onChange={change} />
      </FilterBar>
      {dialogs}
      <DataTable
        label="Backups"
        columns={columns}
        rowKey={({ uid }) => uid}
        data={backups.data}
        isFetching={backups.isFetching}
        error={backups.error}
        onRetry={() => void backups.refetch()}
        sort={search.sort ?? newestFirst}
        onSort={(sort) => change({ sort })}
        onPage={(page) => change({ page })}
        empty={isFiltered(search) ? <NothingMatches onClear={clear} /> : <NoBackups />}
      />
    </>
  );
}

function CreateBackup() {
  return useMay('operator') ? (
    <ButtonLink to="/backups/-/new" leftSection={<Icon name="plus" size={16} />}>
      Create Backup
    </ButtonLink>
  ) : null;
}

function NoBackups() {
  return (
    <EmptyState title="No backups yet" icon="backups" actions={<CreateBackup />}>
      <Text size="sm">
        A backup holds a service as it was at one moment, and restores by itself. The first one of a service stores all
        of it; later ones cost about what changed.
      </Text>
    </EmptyState>
  );
}
