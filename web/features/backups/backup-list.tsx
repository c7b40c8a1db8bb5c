import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useMemo } from 'react';
import { EmptyState } from '../../components/empty-state.tsx';
import { Icon } from '../../components/icon.tsx';
import { ButtonLink } from '../../components/links.tsx';
import { ListPage } from '../../components/list-page.tsx';
import { askingList } from '../../lib/api.ts';
import { changeList } from '../../lib/change-list.ts';
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
    <ListPage
      title="All Backups"
      what="backups"
      primary={<CreateBackup />}
      search={search}
      onChange={change}
      onClear={clear}
      filters={<BackupFilters search={search} onChange={change} />}
      rows={backups}
      columns={columns}
      sort={newestFirst}
      empty={<NoBackups />}
    >
      {dialogs}
    </ListPage>
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
