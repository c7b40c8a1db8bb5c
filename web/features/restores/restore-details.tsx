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
import { describeTarget, mainSteps } from './describe-target.ts';
import { WhatNext } from './what-next.tsx';

const route = getRouteApi('/shell/restores/$name');
const back = { to: '/restores', text: 'Restores' } as const;

export function RestoreDetails() {
  const { name } = route.useParams();
  const restore = useQuery(asking('getRestore', { params: { name } }));
  if (restore.data !== undefined) return <Restore restore={restore.data} />;
  return (
    <>
      <PageHeader title={name} back={back} />
      {restore.error === null ? null : <ErrorCard error={restore.error} onRetry={() => void restore.refetch()} />}
    </>
  );
}

function Restore({ restore }: { readonly restore: Resource<'Restore'> }) {
  const { name, spec, status } = restore;
  return (
    <>
      <PageHeader
        title={name}
        back={back}
        mark={<RunMark run={restore} />}
        lead={
          <>
            <AnchorLink to="/backups/$name" params={{ name: spec.backup }} inherit underline="always">
              {spec.backup}
            </AnchorLink>{' '}
            onto {describeTarget(spec)}
          </>
        }
        actions={
          canBeCancelled(status.state) ? (
            <May needs="operator">
              <Cancel restore={restore} />
            </May>
          ) : null
        }
        primary={
          status.state === 'Failed' || status.state === 'Cancelled' ? (
            <May needs="operator">
              <ButtonLink to="/restore/$backup" params={{ backup: spec.backup }}>
                Restore again
              </ButtonLink>
            </May>
          ) : null
        }
      />
      <Grid gap="md" align="start">
        <Grid.Col span={{ base: 12, md: 8 }}>
          <Stack>
            <RunOutcome status={status} />
            {status.state === 'Succeeded' ? <WhatNext restore={restore} /> : null}
            <Progress restore={restore} />
            <Section title="Log">
              <LogView kind="restores" name={name} isOver={!isUnderWay(status.state)} />
            </Section>
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 4 }}>
          <Section title="About">
            <About restore={restore} />
          </Section>
        </Grid.Col>
      </Grid>
    </>
  );
}

function Progress({ restore: { kind, name, spec, status } }: { readonly restore: Resource<'Restore'> }) {
  const live = useLiveProgress(kind, name);
  const progress = live?.progress ?? status.progress;
  const steps = stepsOf({ state: status.state, main: mainSteps(spec), progress, done: status.result?.steps });
  if (steps.length === 0) return null;
  const isDownloading = status.state === 'Running' && live?.progress.step === 'download';
  return (
    <Section title="Steps">
      <StepProgress steps={steps} label="Steps of this restore" />
      {isDownloading ? <BytesChart samples={live.samples} expected={live.progress.bytes.expected} /> : null}
    </Section>
  );
}

function Cancel({ restore: { name, spec } }: { readonly restore: Resource<'Restore'> }) {
  return (
    <CancelRun what="restore" isAsked={spec.isCancelled} cancel={() => call('cancelRestore', { params: { name } })}>
      {'service' in spec.target
        ? `What was downloaded is removed. ${spec.target.service} keeps its data, unless the restored data has just moved in.`
        : 'What was downloaded is removed.'}
    </CancelRun>
  );
}

function About({ restore: { spec, status, createdAt } }: { readonly restore: Resource<'Restore'> }) {
  const { target, agent, identity, replication } = spec;
  return (
    <Facts
      facts={[
        ['Onto', 'service' in target ? <ServiceLink key="service" name={target.service} /> : target.directory],
        [
          'Agent',
          <AnchorLink key="agent" to="/agents/$name" params={{ name: agent }} inherit>
            {agent}
          </AnchorLink>,
        ],
        ['Server identity', identity === 'new' ? 'a new one' : 'kept'],
        ['Replication', replication === 'start' ? 'may start with the server' : 'stays stopped'],
        ['Asked for', <Time key="asked" at={createdAt} />],
        ['Began', <Time key="began" at={status.startedAt} />],
        ['Ended', <Time key="ended" at={status.endedAt} />],
        ['Duration', <RunDuration key="duration" status={status} />],
        ['Attempts', String(status.attempt)],
      ]}
    />
  );
}

function ServiceLink({ name }: { readonly name: string }) {
  return (
    <AnchorLink to="/services/$name" params={{ name }} inherit>
      {name}
    </AnchorLink>
  );
}
