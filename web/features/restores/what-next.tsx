import { Code, List, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { Resource } from '../../../src/api/resources.ts';
import { Section } from '../../components/section.tsx';
import { asking } from '../../lib/api.ts';
import { formatVersion } from '../../lib/format.ts';
import { ReplicationPosition } from './replication-position.tsx';

/** After a restore: where the data is, what was kept, and what a person does now. */
export function WhatNext({ restore: { spec, status } }: { readonly restore: Resource<'Restore'> }) {
  const backup = useQuery({ ...asking('getBackup', { params: { name: spec.backup } }), retry: false });
  const { target = '', steps = [] } = status.result ?? {};
  // Agents of the release before told of stopping, placing and starting in one.
  const isStarted = steps.some(({ name }) => name === 'start' || name === 'replace');
  const sealed = backup.data?.status.result;
  return (
    <Section title="What to do next">
      <List size="sm" spacing={6} type="ordered">
        {'service' in spec.target ? (
          <List.Item>
            {isStarted
              ? `${spec.target.service} runs on the restored data.`
              : `The data of ${spec.target.service} is restored. Start its server.`}{' '}
            Look whether your programs find what they expect.
          </List.Item>
        ) : (
          <List.Item>
            The data is in <Code>{target}</Code> on {spec.agent}. Point a server at it, or copy out what you need. Its
            users and passwords are those of the time of the backup.
          </List.Item>
        )}
        <Upgrade target={spec.target} source={sealed?.source} />
        <KeptData result={status.result} />
        <List.Item>
          {spec.replication === 'start'
            ? 'Replication may start with the server. Look whether it does, if this was a backup of a replica.'
            : 'If this was a backup of a replica, replication is stopped. Start it if the server shall follow its source, or reset it if it never shall again.'}
        </List.Item>
      </List>
      {sealed === undefined ? null : (
        <>
          <Text size="sm">To replicate or replay what happened since the backup, begin at:</Text>
          <ReplicationPosition gtid={sealed.gtid} binlog={sealed.binlog} />
        </>
      )}
    </Section>
  );
}

interface UpgradeProps {
  readonly target: Resource<'Restore'>['spec']['target'];
  /** The server that was backed up. */
  readonly source: { readonly vendor: string; readonly serverVersion: string } | undefined;
}

/** MySQL does it by itself when it starts. */
function Upgrade({ target, source }: UpgradeProps) {
  const name = 'service' in target ? target.service : '';
  const service = useQuery({ ...asking('getService', { params: { name } }), enabled: name !== '', retry: false });
  const version = service.data?.status.version;
  if (version === undefined || source?.vendor !== 'MariaDB') return null;
  if (seriesOf(version) === seriesOf(source.serverVersion)) return null;
  return (
    <List.Item>
      Run <Code>mariadb-upgrade</Code> on {name}: it runs MariaDB {formatVersion(version)}, and the backup is of{' '}
      {formatVersion(source.serverVersion)}.
    </List.Item>
  );
}

function seriesOf(version: string): string {
  return version.split('.').slice(0, 2).join('.');
}

/** Where the old data is: with several places, each on a line of its own. */
function KeptData({ result }: { readonly result: Resource<'Restore'>['status']['result'] }) {
  const { old, oldElsewhere = [] } = result ?? {};
  const paths = [...(old === undefined ? [] : [old]), ...oldElsewhere];
  const [first] = paths;
  if (first === undefined) return null;
  if (paths.length === 1) {
    return (
      <List.Item>
        The old data is kept in <Code>{first}</Code>. Remove that directory when you are content.
      </List.Item>
    );
  }
  return (
    <List.Item>
      The old data is kept in {paths.length} places. Remove them together when you are content:
      <List size="sm" listStyleType="none" withPadding>
        {paths.map((path) => (
          <List.Item key={path}>
            <Code>{path}</Code>
          </List.Item>
        ))}
      </List>
    </List.Item>
  );
}
