import { Button, Grid, Stack, Text } from '@mantine/core';
import { type ReactNode, useMemo, useRef, useState } from 'react';
import type { Resource } from '../../../src/api/resources.ts';
import { ErrorCard } from '../../components/error-card.tsx';
import { FindingsOnTheirWay } from '../../components/findings.tsx';
import { AnchorLink } from '../../components/links.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { Section } from '../../components/section.tsx';
import { formatBytes } from '../../../src/api/figures.ts';
import { formatTime, formatVersion } from '../../lib/format.ts';
import { AcceptMissing } from './accept-missing.tsx';
import { ChooseTarget } from './choose-target.tsx';
import { ConfirmReplace } from './confirm-replace.tsx';
import { PlanView } from './plan-view.tsx';
import { emptyRestore, type RestoreBody, type RestoreDraft, type RestoreTarget, targetOf } from './restore-draft.ts';
import { StartQuestions } from './start-questions.tsx';
import { useBegin, usePlan, useStart } from './use-restore.ts';

export interface RestoreWizardProps {
  readonly backup: Resource<'Backup'>;
  readonly targets: readonly RestoreTarget[];
}

/** Where to, two questions, the plan; the plan is there as soon as it is known where to. */
export function RestoreWizard({ backup, targets }: RestoreWizardProps) {
  const [draft, setDraft] = useState(emptyRestore);
  const [isChecked, setChecked] = useState(false);
  const [isConfirming, setConfirming] = useState(false);
  const questions = useRef<HTMLDivElement>(null);
  const change = (to: Partial<RestoreDraft>): void => setDraft((before) => ({ ...before, ...to }));
  const chosen = useMemo(() => targetOf(draft, targets), [draft, targets]);
  const body = bodyOf({ backup: backup.name, draft, chosen });
  const planned = usePlan(body);
  const start = useStart();
  const begin = useBegin((wish) => ('service' in wish.target ? setConfirming(true) : start.mutate(wish)));
  const restore = (): void => {
    setChecked(true);
    if (body !== undefined && isAnswered(draft)) begin.mutate(body);
    else setTimeout(() => questions.current?.querySelector<HTMLElement>('[data-missing] input')?.focus());
  };
  return (
    <>
      <Header
        backup={backup}
        isRefused={planned.isRefused}
        isBusy={begin.isPending || start.isPending}
        onRestore={restore}
      />
      <Grid gap="md" align="start">
        <Grid.Col span={{ base: 12, md: 6.5 }}>
          <Stack ref={questions}>
            {start.error === null || isConfirming ? null : <ErrorCard error={start.error} />}
            <Section title="Target">
              <ChooseTarget backup={backup} targets={targets} draft={draft} change={change} isChecked={isChecked} />
            </Section>
            <Section title="When its server starts">
              <StartQuestions draft={draft} change={change} isChecked={isChecked} />
            </Section>
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 5.5 }}>
          <Section title="The plan">
            <Plan planned={planned} isChosen={chosen !== undefined}>
              <AcceptMissing plan={planned.plan} target={chosen?.target} draft={draft} change={change} />
            </Plan>
          </Section>
        </Grid.Col>
      </Grid>
      {body === undefined || planned.plan === undefined ? null : (
        <ConfirmReplace
          backup={backup}
          body={body}
          plan={planned.plan}
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
          <AnchorLink to="/backups/$name" params={{ name }} inherit underline="always">
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

interface PlanProps {
  /** What a person has to say to it. */
  readonly children: ReactNode;
  readonly planned: ReturnType<typeof usePlan>;
  readonly isChosen: boolean;
}

function Plan({ planned: { plan, error, again, isFetching }, isChosen, children }: PlanProps) {
  if (!isChosen) {
    return (
      <Text size="sm" c="dimmed">
        Say where the data shall go, and you see here what will happen, for how long, and when a server stands still.
        Nothing is touched before you press Restore.
      </Text>
    );
  }
  if (error !== null) return <ErrorCard error={error} onRetry={again} />;
  if (plan === undefined) return <FindingsOnTheirWay>Asking the agent what a restore would do</FindingsOnTheirWay>;
  return (
    <div aria-busy={isFetching}>
      <PlanView plan={plan}>{children}</PlanView>
    </div>
  );
}

function isAnswered({ identity, replication }: RestoreDraft): boolean {
  return identity !== undefined && replication !== undefined;
}

/** As long as the two questions are open, the plan is asked for with the careful answers; neither changes its steps. */
function bodyOf(asked: {
  readonly backup: string;
  readonly draft: RestoreDraft;
  readonly chosen: Pick<RestoreBody, 'agent' | 'target'> | undefined;
}): RestoreBody | undefined {
  const { backup, draft, chosen } = asked;
  if (chosen === undefined) return undefined;
  const { identity = 'new', replication = 'stopped', acceptsMissingIn } = draft;
  const accepts = 'service' in chosen.target && chosen.target.service === acceptsMissingIn;
  return { backup, ...chosen, identity, replication, ...(accepts ? { acceptsMissingTables: true } : {}) };
}
