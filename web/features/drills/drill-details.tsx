import { Grid, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import type { Resource } from '../../../src/api/resources.ts';
import { BytesChart } from '../../components/bytes-chart.tsx';
import { CancelRun } from '../../components/cancel-run.tsx';
import { ErrorCard } from '../../components/error-card.tsx';
import { Facts } from '../../components/facts.tsx';
import { Time } from '../../components/figures.tsx';
import { AnchorLink, ButtonLink } from '../../components/links.tsx';
import { LogView } from '../../components/log-view.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { RunDuration, RunMark } from '../../components/run-cells.tsx';
import { RunOutcome } from '../../components/run-outcome.tsx';
import { Section } from '../../components/section.tsx';
import { StepProgress } from '../../components/step-progress.tsx';
import { May } from '../../components/may.tsx';
import { asking, call } from '../../lib/api.ts';
import { useLiveProgress } from '../../lib/progress.ts';
import { stepsOf } from '../../lib/run-steps.ts';
import { canBeCancelled, isUnderWay } from '../../lib/states.ts';
import { DrillResult } from './drill-result.tsx';

const route = getRouteApi('/shell/drills/$name');
const back = { to: '/drills', text: 'Drills' } as const;
const mainSteps = ['preflight', 'download', 'prepare', 'sync', 'start', 'check'];

export function DrillDetails() {
  const { name } = route.useParams();
  const drill = useQuery(asking('getDrill', { params: { name } }));
  if (drill.data !== undefined) return <Drill drill={drill.data} />;
  return (
    <>
      <PageHeader title={name} back={back} />
      {drill.error === null ? null : <ErrorCard error={drill.error} onRetry={() => void drill.refetch()} />}
    </>
  );
}

function Drill({ drill }: { readonly drill: Resource<'Drill'> }) {
  const { name, spec, status } = drill;
  return (
    <>
      <PageHeader
        title={name}
        back={back}
        mark={<RunMark run={drill} />}
        lead={
          <>
            Proves that{' '}
            <AnchorLink to="/backups/$name" params={{ name: spec.backup }} inherit underline="always">
              {spec.backup}
            </AnchorLink>{' '}
            restores, on {spec.agent}
          </>
        }
        actions={
          canBeCancelled(status.state) ? (
            <May needs="operator">
              <Cancel drill={drill} />
            </May>
          ) : null
        }
        primary={
          isUnderWay(status.state) ? null : (
            <May needs="operator">
              <ButtonLink to="/drills" search={{ start: spec.backup }}>
                Drill again
              </ButtonLink>
            </May>
          )
        }
      />
      <Grid gap="md" align="start">
        <Grid.Col span={{ base: 12, md: 8 }}>
          <Stack>
            <RunOutcome status={status} />
            {status.result === undefined ? null : <DrillResult name={name} result={status.result} />}
            <Progress drill={drill} />
            <Section title="Log">
              <LogView kind="drills" name={name} isOver={!isUnderWay(status.state)} />
            </Section>
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 4 }}>
          <Section title="About">
            <About drill={drill} />
          </Section>
        </Grid.Col>
      </Grid>
    </>
  );
}

function Progress({ drill: { kind, name, status } }: { readonly drill: Resource<'Drill'> }) {
  const live = useLiveProgress(kind, name);
  const progress = live?.progress ?? status.progress;
  const steps = stepsOf({ state: status.state, main: mainSteps, progress, done: status.result?.steps });
  if (steps.length === 0) return null;
  const isDownloading = status.state === 'Running' && live?.progress.step === 'download';
  return (
    <Section title="Steps">
      <StepProgress steps={steps} label="Steps of this drill" />
      {isDownloading ? <BytesChart samples={live.samples} expected={live.progress.bytes.expected} /> : null}
    </Section>
  );
}

function Cancel({ drill: { name, spec } }: { readonly drill: Resource<'Drill'> }) {
  return (
    <CancelRun what="drill" isAsked={spec.isCancelled} cancel={() => call('cancelDrill', { params: { name } })}>
      Its scratch directory and its server are removed. What is known of the backup stays as it is.
    </CancelRun>
  );
}

function About({ drill: { spec, status, createdAt } }: { readonly drill: Resource<'Drill'> }) {
  return (
    <Facts
      facts={[
        [
          'Host',
          <AnchorLink key="agent" to="/agents/$name" params={{ name: spec.agent }} inherit>
            {spec.agent}
          </AnchorLink>,
        ],
        [
          'Depth',
          spec.depth === 'extended' ? 'extended: every row and index entry' : 'quick: the structure of each table',
        ],
        ['Checksums', spec.withChecksums ? 'of all tables' : 'none'],
        ['Asked for', <Time key="asked" at={createdAt} />],
        ['Began', <Time key="began" at={status.startedAt} />],
        ['Ended', <Time key="ended" at={status.endedAt} />],
        ['Duration', <RunDuration key="duration" status={status} />],
        ['Attempts', String(status.attempt)],
      ]}
    />
  );
}
