import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorCard } from '../../components/error-card.tsx';
import { FindingsOnTheirWay } from '../../components/findings.tsx';
import { ButtonLink } from '../../components/links.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { asking } from '../../lib/api.ts';
import { RestoreWizard } from './restore-wizard.tsx';

const route = getRouteApi('/shell/restore/$backup');

/** Reads what can be restored, and where to. */
export function RestoreForm() {
  const params = { name: route.useParams().backup };
  const backup = useQuery(asking('getBackup', { params }));
  const targets = useQuery(asking('restoreTargets', { params }));
  const title = `Restore ${params.name}`;
  const failed = backup.error === null ? targets : backup;
  if (failed.error !== null) {
    return (
      <>
        <PageHeader title={title} back={{ to: '/backups', text: 'All Backups' }} />
        <ErrorCard error={failed.error} onRetry={() => void failed.refetch()} />
      </>
    );
  }
  if (backup.data === undefined || targets.data === undefined) {
    return (
      <>
        <PageHeader title={title} back={{ to: '/backups', text: 'All Backups' }} />
        <FindingsOnTheirWay>Looking where it could be restored to</FindingsOnTheirWay>
      </>
    );
  }
  if (backup.data.status.state !== 'Succeeded') {
    return (
      <>
        <PageHeader title={title} back={{ to: '/backups', text: 'All Backups' }} />
        <EmptyState
          title="This backup cannot be restored"
          icon="restore"
          actions={
            <ButtonLink to="/backups/$name" params={params}>
              Show the backup
            </ButtonLink>
          }
        >
          Only a backup that succeeded can be restored; this one is in state {backup.data.status.state}.
        </EmptyState>
      </>
    );
  }
  return <RestoreWizard backup={backup.data} targets={targets.data.items} />;
}
