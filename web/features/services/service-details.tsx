import { Button, Grid, Stack, Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import type { Resource } from '../../../src/api/resources.ts';
import { ErrorCard } from '../../components/error-card.tsx';
import { Facts } from '../../components/facts.tsx';
import { FailureReport } from '../../components/failure-report.tsx';
import { Bytes, Time } from '../../components/figures.tsx';
import { Findings, FindingsOnTheirWay } from '../../components/findings.tsx';
import { AnchorLink, ButtonLink } from '../../components/links.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { RemoveResource } from '../../components/remove-resource.tsx';
import { Section } from '../../components/section.tsx';
import { StatusMark } from '../../components/status-mark.tsx';
import { May } from '../../components/may.tsx';
import { asking, call } from '../../lib/api.ts';
import { formatVersion } from '../../lib/format.ts';
import { agentLooks, serviceLooks } from '../../lib/inventory-looks.ts';

const route = getRouteApi('/shell/services/$name');
const back = { to: '/services', text: 'Services' } as const;

export function ServiceDetails() {
  const { name } = route.useParams();
  const service = useQuery(asking('getService', { params: { name } }));
  if (service.data !== undefined) return <Service service={service.data} />;
  return (
    <>
      <PageHeader title={name} back={back} />
      {service.error === null ? null : <ErrorCard error={service.error} onRetry={() => void service.refetch()} />}
    </>
  );
}

function Service({ service }: { readonly service: Resource<'Service'> }) {
  const { name, spec, status } = service;
  return (
    <>
      <PageHeader
        title={name}
        back={back}
        mark={<StatusMark {...serviceLooks[status.state]} />}
        lead={spec.description === '' ? undefined : spec.description}
        actions={
          <May needs="admin">
            <ButtonLink to="/services/$name/edit" params={{ name }} variant="default">
              Edit
            </ButtonLink>
          </May>
        }
        primary={
          <May needs="operator">
            <ButtonLink to="/backups/-/new" search={{ service: name }}>
              Back up
            </ButtonLink>
          </May>
        }
      />
      <Grid gap="md" align="start">
        <Grid.Col span={{ base: 12, md: 7 }}>
          <Stack>
            {status.failure === undefined ? null : (
              <Section title="What is wrong">
                <FailureReport failure={status.failure} isOfRun={false} />
              </Section>
            )}
            <May needs="operator">
              <Test name={name} />
            </May>
            <RemoveResource
              what="service"
              name={name}
              listPage="/services"
              topic="services"
              remove={() => call('removeService', { params: { name } })}
            >
              Holdfast stops protecting this server. Its backups stay and can still be restored.
            </RemoveResource>
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 5 }}>
          <About service={service} />
        </Grid.Col>
      </Grid>
    </>
  );
}

function Test({ name }: { readonly name: string }) {
  const test = useMutation({ mutationFn: () => call('testService', { params: { name } }) });
  return (
    <Section
      title="Can it be backed up?"
      aside={
        <Button size="compact-sm" variant="default" onClick={() => test.mutate()} loading={test.isPending}>
          {test.data === undefined ? 'Test' : 'Test again'}
        </Button>
      }
    >
      <div role="status">
        {test.isPending ? <FindingsOnTheirWay>Asking the agent</FindingsOnTheirWay> : null}
        {test.isIdle ? (
          <Text size="sm" c="dimmed">
            The test asks the agent whether the server answers, whether a tool fits it, and whether its user may back
            up. It changes nothing.
          </Text>
        ) : null}
        {test.data === undefined || test.isPending ? null : (
          <Findings findings={test.data.findings} label="What the test found" />
        )}
      </div>
      {test.error === null ? null : <ErrorCard error={test.error} />}
    </Section>
  );
}

function About({ service: { name, spec, status, createdAt } }: { readonly service: Resource<'Service'> }) {
  const agent = useQuery({ ...asking('getAgent', { params: { name: spec.agent } }), retry: false });
  const { vendor, version = '', engine, dataBytes, identity, lineage } = status;
  return (
    <Section title="About">
      <Facts
        facts={[
          ['DB technology', vendor === undefined ? undefined : `${vendor} ${formatVersion(version)}`],
          ['Engine', engine],
          ['Size of data', <Bytes key="size" value={dataBytes} />],
          [
            'Agent',
            <span key="agent">
              <AnchorLink to="/agents/$name" params={{ name: spec.agent }} inherit mr="xs">
                {spec.agent}
              </AnchorLink>
              {agent.data === undefined ? null : <StatusMark {...agentLooks[agent.data.status.state]} />}
            </span>,
          ],
          ['Cluster label', spec.clusterLabel],
          ['Server identity', identity],
          ['Lineage', lineage],
          ['Added', <Time key="added" at={createdAt} />],
          [
            'Backups',
            <AnchorLink key="backups" to="/backups" search={{ service: name }} inherit>
              Show its backups
            </AnchorLink>,
          ],
        ]}
      />
    </Section>
  );
}
