import { Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { Resource } from '../../../src/api/resources.ts';
import { ButtonLink } from '../../components/links.tsx';
import { Section } from '../../components/section.tsx';
import { StatusMark } from '../../components/status-mark.tsx';
import { asking } from '../../lib/api.ts';
import { describeServer } from '../../lib/describe-server.ts';
import { returnWith } from '../../lib/return-to.ts';

export interface JoinedProps {
  /** When the token was made, by the manager's clock, in milliseconds. */
  readonly since: number;
  readonly returnTo: string | undefined;
  /** The one that shall join again. */
  readonly replaces: string | undefined;
}

/** Events tell of it at once; this is for those that were lost. */
const lookAgainMs = 5000;

/** Waits for agents that joined since. */
export function Joined({ since, returnTo, replaces }: JoinedProps) {
  const agents = useQuery({
    ...asking('listAgents', { query: { sort: '-lastSeenAt', pageSize: 100 } }),
    refetchInterval: lookAgainMs,
  });
  const joined = (agents.data?.items ?? []).filter((agent) => {
    if (replaces === undefined) return Date.parse(agent.createdAt) >= since;
    const { state, lastSeenAt } = agent.status;
    return agent.name === replaces && state === 'Connected' && Date.parse(lastSeenAt ?? '') >= since;
  });
  return (
    <Section title={joined.length === 0 ? 'Then' : 'It is there'}>
      <div role="status">
        {joined.length === 0 ? (
          <Text size="sm" component="div">
            <StatusMark tone="busy" word="Waiting" /> for the agent to join. This page sees it by itself.
          </Text>
        ) : (
          <Stack>
            {joined.map((agent) => (
              <One key={agent.uid} agent={agent} returnTo={returnTo} />
            ))}
          </Stack>
        )}
      </div>
    </Section>
  );
}

function One({
  agent: { name, status },
  returnTo,
}: {
  readonly agent: Resource<'Agent'>;
  readonly returnTo: string | undefined;
}) {
  const services = useQuery(asking('listServices', { query: { pageSize: 500 } }));
  const service = services.data?.items.find(({ spec }) => spec.agent === name);
  return (
    <Group justify="space-between" gap="sm">
      <Text size="sm" component="div">
        <StatusMark tone="good" word={name} /> has joined
        {status.state === 'Connected' ? `: ${describeServer(status)}` : ''}
        {status.hostname === undefined || status.hostname === name ? '' : ` on ${status.hostname}`}.
        {status.state === 'Connected' ? '' : ' Start it there with “holdfast agent”, unless it runs already.'}
        {service === undefined ? '' : ` Its server is protected as the service ${service.name}.`}
      </Text>
      <Group gap="xs">
        <Next name={name} hasServer={status.server !== undefined} service={service?.name} returnTo={returnTo} />
      </Group>
    </Group>
  );
}

interface NextProps {
  readonly name: string;
  readonly hasServer: boolean;
  readonly service: string | undefined;
  readonly returnTo: string | undefined;
}

function Next({ name, hasServer, service, returnTo }: NextProps) {
  if (hasServer && service === undefined) {
    return (
      <ButtonLink to="/services/-/new" search={{ agent: name, ...(returnTo === undefined ? {} : inner(returnTo)) }}>
        Add its server as a service
      </ButtonLink>
    );
  }
  if (returnTo !== undefined) {
    return (
      <ButtonLink to={returnWith(returnTo, { agent: name })} variant="default">
        Back to where you were
      </ButtonLink>
    );
  }
  return (
    <ButtonLink to="/agents/$name" params={{ name }} variant="default">
      Show the agent
    </ButtonLink>
  );
}

/** Who came from the form of a service goes on to the page from which that was opened. */
function inner(returnTo: string): { returnTo?: string } {
  const { pathname, searchParams } = new URL(returnTo, 'http://here');
  if (pathname !== '/services/-/new') return { returnTo };
  const further = searchParams.get('returnTo');
  return further === null ? {} : { returnTo: further };
}
