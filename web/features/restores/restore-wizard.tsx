import { Button, Stack, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import type { Resource } from '../../../src/api/resources.ts';
import { ErrorCard } from '../../components/error-card.tsx';
import { FindingsOnTheirWay } from '../../components/findings.tsx';
import { AnchorLink } from '../../components/links.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { Section } from '../../components/section.tsx';
import { call } from '../../lib/api.ts';
import { formatBytes, formatTime, formatVersion } from '../../lib/format.ts';
import { ChooseTarget } from './choose-target.tsx';
import { ConfirmReplace } from './confirm-replace.tsx';
import { PlanView } from './plan-view.tsx';
import { emptyRestore, type RestoreBody, type RestoreDraft, type RestoreTarget, targetOf } from './restore-draft.ts';
import { StartQuestions } from './start-questions.tsx';

export interface RestoreWizardProps {
  readonly backup: Resource<'Backup'>;
  readonly targets: readonly RestoreTarget[];
}

/** Where to, two questions, the plan; the plan is there as soon as it is known where to. */
export function RestoreWizard({ backup, targets }: RestoreWizardProps) {
  const [draft, setDraft] = useState(emptyRestore);
  const [isChecked, setChecked] = useState(false);
  const [isConfirming, setConfirming] = useState(false);
  const change = (to: Partial<RestoreDraft>): void => setDraft((before) => ({ ...before, ...to }));
  const chosen = useMemo(() => targetOf(draft, targets), [draft, targets]);
  const body = bodyOf({ backup: backup.name, draft, chosen });
  const plan = usePlan(body);
  const start = useStart();
  const isAnswered = draft.identity !== undefined && draft.replication !== undefined;
  const isReady = body !== undefined && isAnswered && plan.data?.isGo === true && !plan.isStale;
  const ask = (): void => {
    setChecked(true);
    if (!isReady) return;
    if ('service' in body.target) setConfirming(true);
    else start.mutate(body);
  };
  return (
    <>
      <Header backup={backup} isRefused={plan.data?.isGo === false} isBusy={start.isPending} onRestore={ask} />
      <Stack maw={820}>
        {start.error === null || isConfirming ? null : <ErrorCard error={start.error} />}
        <Section title="Where to">
          <ChooseTarget
            backup={backup.name}
            service={backup.spec.service}
            targets={targets}
            draft={draft}
            change={change}
            isChecked={isChecked}
          />
        </Section>
        <Section title="When its server starts">
          <StartQuestions draft={draft} change={change} isChecked={isChecked} />
        </Section>
        <Section title="The plan">
          <Plan plan={plan} isChosen={chosen !== undefined} />
        </Section>
      </Stack>
      {body === undefined || plan.data === undefined ? null : (
        <ConfirmReplace
          backup={backup}
          body={body}
          plan={plan.data}
          isOpen={isConfirming}
          isBusy={start.isPending}
          error={start.error}
          onConfirm={() => start.mutate(body)}
          onClose={() => setConfirming(false)}
        />
      )}
    </>
  );
}

interface HeaderProps {
  readonly backup: Resource<'Backup'>;
  readonly isRefused: boolean;
  readonly isBusy: boolean;
  readonly onRestore: () => void;
}

function Header({ backup: { name, spec, status }, isRefused, isBusy, onRestore }: HeaderProps) {
  const { source, startedAt, logicalBytes } = status.result ?? {};
  return (
    <PageHeader
      title={`Restore ${name}`}
      back={{ to: '/backups', text: 'All Backups' }}
      lead={
        <>
          <AnchorLink to="/backups/$name" params={{ name }} inherit>
            A backup
          </AnchorLink>{' '}
          of {spec.service}
          {startedAt === undefined ? '' : `, begun ${formatTime(startedAt)}`}
          {source === undefined ? '' : `, ${source.vendor} ${formatVersion(source.serverVersion)}`}
          {logicalBytes === undefined ? '' : `, ${formatBytes(logicalBytes)}`}
        </>
      }
      primary={
        <Button onClick={onRestore} loading={isBusy} disabled={isRefused}>
          Restore
        </Button>
      }
    />
  );
}

function Plan({ plan, isChosen }: { readonly plan: ReturnType<typeof usePlan>; readonly isChosen: boolean }) {
  if (!isChosen) {
    return (
      <Text size="sm" c="dimmed">
        Say where the data shall go, and you see here what will happen, for how long, and when a server stands still.
        Nothing is touched before you press Restore.
      </Text>
    );
  }
  if (plan.error !== null) return <ErrorCard error={plan.error} onRetry={() => void plan.refetch()} />;
  if (plan.data === undefined) return <FindingsOnTheirWay>Asking the agent what a restore would do</FindingsOnTheirWay>;
  return (
    <Stack gap="xs" aria-busy={plan.isFetching} style={{ opacity: plan.isPlaceholderData ? 0.5 : 1 }}>
      <PlanView plan={plan.data} />
    </Stack>
  );
}

/** As long as the two questions are open, the plan is asked for with the careful answers; neither changes its steps. */
function bodyOf(asked: {
  readonly backup: string;
  readonly draft: RestoreDraft;
  readonly chosen: Pick<RestoreBody, 'agent' | 'target'> | undefined;
}): RestoreBody | undefined {
  const { backup, draft, chosen } = asked;
  if (chosen === undefined) return undefined;
  return { backup, ...chosen, identity: draft.identity ?? 'new', replication: draft.replication ?? 'stopped' };
}

const typingMs = 350;
/** Free space and what runs on the host change. */
const planAgeMs = 30_000;

function usePlan(body: RestoreBody | undefined) {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const [asked] = useDebouncedValue(text, typingMs);
  const plan = useQuery({
    queryKey: ['plan', asked] as const,
    queryFn: ({ signal }) => call('planRestore', { body: JSON.parse(asked ?? 'null') as RestoreBody }, { signal }),
    enabled: asked !== undefined,
    placeholderData: keepPreviousData,
    refetchInterval: planAgeMs,
    gcTime: planAgeMs,
  });
  return { ...plan, isStale: asked !== text || plan.isPlaceholderData };
}

function useStart() {
  const router = useRouter();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: RestoreBody) => call('createRestore', { body }),
    onSuccess: async ({ name }) => {
      await queries.invalidateQueries({ queryKey: ['restores'] });
      await router.navigate({ to: '/restores/$name', params: { name } });
    },
  });
}
