import { Code, Text } from '@mantine/core';
import type { StatusOf } from '../../../src/api/resources.ts';
import { Facts } from '../../components/facts.tsx';
import { Section } from '../../components/section.tsx';

type AgentStatus = StatusOf<'Agent'>;

/** What it can do, and what its own file on the host lets it do. */
export function AgentLimits({ status }: { readonly status: AgentStatus }) {
  if (status.state === 'Unknown') {
    return (
      <Section title="What it may do">
        <Text size="sm" c="dimmed">
          It says so once it is in touch. Start it on its host with “holdfast agent”, unless it runs already.
        </Text>
      </Section>
    );
  }
  const { engines, restoreDirectories, mayRestoreInPlace, locations, managedLocations } = status;
  return (
    <Section title="What it may do">
      <Facts
        facts={[
          ['Restore in place', mayRestoreInPlace ? 'yes: it may replace the data of its server' : 'no'],
          ['Restore into', <Codes key="directories" texts={restoreDirectories} none="no directory" />],
          ['Its own locations', <Codes key="own" texts={locations} none="none" />],
          ['Locations from here', managed(managedLocations)],
          ['Engines', engines.length === 0 ? 'none found' : <Engines key="engines" engines={engines} />],
        ]}
      />
      <Text size="sm" c="dimmed">
        The agent's own file on the host decides this, and no request can change it: edit that file and restart the
        agent.
      </Text>
    </Section>
  );
}

function managed(prefixes: readonly string[]) {
  if (prefixes.includes('*')) return 'any';
  return <Codes texts={prefixes} none="none: it stores only in its own locations" />;
}

function Codes({ texts, none }: { readonly texts: readonly string[]; readonly none: string }) {
  if (texts.length === 0) return none;
  return texts.map((text) => (
    <Code key={text} mr={6}>
      {text}
    </Code>
  ));
}

function Engines({ engines }: { readonly engines: AgentStatus['engines'] }) {
  return engines.map(({ name, version, isChosen }) => (
    <div key={name}>
      {name} {version}
      {isChosen ? ', fits the server' : ''}
    </div>
  ));
}
