import { Grid, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import type { Resource } from '../../../src/api/resources.ts';
import { ErrorCard } from '../../components/error-card.tsx';
import { Facts } from '../../components/facts.tsx';
import { FailureReport } from '../../components/failure-report.tsx';
import { Age, Bytes, Time } from '../../components/figures.tsx';
import { AnchorLink, ButtonLink } from '../../components/links.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { RemoveResource } from '../../components/remove-resource.tsx';
import { Section } from '../../components/section.tsx';
import { StatusMark } from '../../components/status-mark.tsx';
import { May } from '../../components/may.tsx';
import { asking, call } from '../../lib/api.ts';
import { describeServer } from '../../lib/describe-server.ts';
import { agentLooks } from '../../lib/inventory-looks.ts';
import { AgentLimits } from './agent-limits.tsx';
import { DescribeAgent } from './describe-agent.tsx';

const route = getRouteApi('/shell/agents/$name');
const back = { to: '/agents', text: 'Agents' } as const;

export function AgentDetails() {
  const { name } = route.useParams();
  const agent = useQuery(asking('getAgent', { params: { name } }));
  if (agent.data !== undefined) return <Agent agent={agent.data} />;
  return (
    <>
      <PageHeader title={name} back={back} />
      {agent.error === null ? null : <ErrorCard error={agent.error} onRetry={() => void agent.refetch()} />}
    </>
  );
}

function Agent({ agent }: { readonly agent: Resource<'Agent'> }) {
  const { name, spec, status } = agent;
  const services = useQuery(asking('listServices', { query: { pageSize: 500, sort: 'name' } }));
  const own = services.data?.items.filter((service) => service.spec.agent === name);
  const isUnused = own !== undefined && own.length === 0 && status.server !== undefined;
  return (
    <>
      <PageHeader
        title={name}
        back={back}
        mark={<StatusMark {...agentLooks[status.state]} />}
        lead={spec.description === '' ? undefined : spec.description}
        actions={
          <May needs="admin">
            <DescribeAgent agent={agent} />
          </May>
        }
        primary={
          <May needs="admin">
            <Primary agent={agent} isUnused={isUnused} />
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
            <AgentLimits status={status} />
            <RemoveResource
              what="agent"
              name={name}
              listPage="/agents"
              topic="agents"
              remove={() => call('removeAgent', { params: { name } })}
            >
              The manager forgets this agent and its key. The program on the host goes on until someone stops it, but
              nobody asks it for anything. An agent that a service uses cannot be removed.
            </RemoveResource>
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 5 }}>
          <About agent={agent} services={own?.map((service) => service.name) ?? []} />
        </Grid.Col>
      </Grid>
    </>
  );
}

/** What is likeliest to be done next: nothing for an agent that is well and in use. */
function Primary({
  agent: { name, status },
  isUnused,
}: {
  readonly agent: Resource<'Agent'>;
  readonly isUnused: boolean;
}) {
  if (status.state === 'NotTrusted' || status.state === 'Lost') {
    return (
      <ButtonLink to="/agents/-/new" search={{ replaces: name }}>
        Let it join again
      </ButtonLink>
    );
  }
  if (!isUnused) return null;
  return (
    <ButtonLink to="/services/-/new" search={{ agent: name }}>
      Add its server as a service
    </ButtonLink>
  );
}

interface AboutProps {
  readonly agent: Resource<'Agent'>;
  readonly services: readonly string[];
}

function About({ agent: { spec, status, createdAt }, services }: AboutProps) {
  const { connection } = spec;
  const links = services.map((name) => (
    <AnchorLink key={name} to="/services/$name" params={{ name }} inherit mr="xs">
      {name}
    </AnchorLink>
  ));
  return (
    <Section title="About">
      <Facts
        facts={[
          ['Services', links.length === 0 ? undefined : <span key="services">{links}</span>],
          ['Host', status.hostname],
          ['Version', status.version],
          ['Heard of', status.lastSeenAt === undefined ? undefined : <Age key="seen" at={status.lastSeenAt} />],
          ['Joined', <Time key="joined" at={createdAt} />],
          [
            'Connection',
            connection.type === 'listens' ? `the manager calls ${connection.url}` : 'the agent calls the manager',
          ],
          ...(connection.type === 'listens' ? [['Certificate', connection.fingerprint] as const] : []),
          ['Database server', describeServer(status)],
          ['Data directory', status.server?.dataDirectory],
          ['Size of data', <Bytes key="size" value={status.server?.dataBytes} />],
        ]}
      />
    </Section>
  );
}
