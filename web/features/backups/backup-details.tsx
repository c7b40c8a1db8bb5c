import { Grid, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { ErrorCard } from '../../components/error-card.tsx';
import { Time } from '../../components/figures.tsx';
import { LogView } from '../../components/log-view.tsx';
import { Notice } from '../../components/notice.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { RunMark } from '../../components/run-cells.tsx';
import { RunOutcome } from '../../components/run-outcome.tsx';
import { Section } from '../../components/section.tsx';
import { asking } from '../../lib/api.ts';
import { isUnderWay } from '../../lib/states.ts';
import { type Backup, useBackupActions } from './backup-actions.tsx';
import { BackupAttempts } from './backup-attempts.tsx';
import { BackupButtons } from './backup-buttons.tsx';
import { BackupFacts } from './backup-facts.tsx';
import { BackupProgress } from './backup-progress.tsx';
import { ProofLadder } from './proof-ladder.tsx';
import { WhereTheSpaceWent } from './where-the-space-went.tsx';

const route = getRouteApi('/shell/backups/$name');
const back = { to: '/backups', text: 'All Backups' } as const;

const hasProgress: ReadonlySet<string> = new Set(['Starting', 'Running', 'Deleting']);

export function BackupDetails() {
  const { name } = route.useParams();
  const { data: backup, error, refetch } = useQuery(asking('getBackup', { params: { name } }));
  const { act, dialogs } = useBackupActions();
  if (backup === undefined) {
    return (
      <>
        <PageHeader title={name} back={back} />
        {error === null ? null : <ErrorCard error={error} onRetry={() => void refetch()} />}
      </>
    );
  }
  return (
    <>
      <PageHeader
        title={name}
        back={back}
        mark={<RunMark run={backup} />}
        lead={<Lead backup={backup} />}
        actions={<BackupButtons backup={backup} act={act} />}
      />
      {dialogs}
      <Parts backup={backup} />
    </>
  );
}

function Lead({ backup: { spec, status, createdAt } }: { readonly backup: Backup }) {
  return (
    <>
      {spec.service}
      {status.technology === undefined ? '' : `, ${status.technology}`} · to {spec.location} · created{' '}
      <Time at={createdAt} />
    </>
  );
}

function Parts({ backup }: { readonly backup: Backup }) {
  const { name, spec, status } = backup;
  return (
    <Grid gap="md">
      <Grid.Col span={{ base: 12, md: 7 }}>
        <Stack gap="md">
          {hasProgress.has(status.state) ? <BackupProgress backup={backup} /> : null}
          <RunOutcome status={status} attempts={attemptsOf(backup)} />
          {status.state === 'Succeeded' && spec.isCancelled ? <CameTooLate /> : null}
          {status.result === undefined ? null : <WhereTheSpaceWent result={status.result} />}
          {status.result === undefined ? null : <ProofLadder proof={status.proof} sealedAt={status.result.sealedAt} />}
          <Section title="Log">
            {status.attempt === 0 ? (
              <Text size="sm" c="dimmed">
                It has not begun yet. What the tools say will be here, as they say it.
              </Text>
            ) : (
              <LogView kind="backups" name={name} isOver={!isUnderWay(status.state)} />
            )}
          </Section>
        </Stack>
      </Grid.Col>
      <Grid.Col span={{ base: 12, md: 5 }}>
        <Stack gap="md">
          <BackupFacts backup={backup} />
          <BackupAttempts backup={backup} />
        </Stack>
      </Grid.Col>
    </Grid>
  );
}

function attemptsOf({ spec: { retry }, status }: Backup): number {
  return 1 + status.retriesTaken + (retry.mode === 'auto' ? retry.retries : 0);
}

function CameTooLate() {
  return (
    <Notice title="It was complete before it could be cancelled" icon="backups">
      It is a good backup. Delete it if you do not want it.
    </Notice>
  );
}
