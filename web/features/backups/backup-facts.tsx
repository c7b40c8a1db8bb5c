import { Code, CopyButton, Group, UnstyledButton } from '@mantine/core';
import type { ReactNode } from 'react';
import { Facts } from '../../components/facts.tsx';
import { Time } from '../../components/figures.tsx';
import { Icon } from '../../components/icon.tsx';
import { AnchorLink } from '../../components/links.tsx';
import { RunDuration } from '../../components/run-cells.tsx';
import { Section } from '../../components/section.tsx';
import { plural } from '../../../src/api/figures.ts';
import { formatInterval, formatVersion } from '../../lib/format.ts';
import type { Backup } from './backup-actions.tsx';

type Fact = readonly [name: string, value: ReactNode];

export function BackupFacts({ backup }: { readonly backup: Backup }) {
  const { spec, status, createdAt } = backup;
  return (
    <>
      <Section title="Backup">
        <Facts
          facts={[
            ['Service', <Name key="service" to="/services/$name" name={spec.service} />],
            [
              'Agent',
              status.agent === undefined ? undefined : <Name key="agent" to="/agents/$name" name={status.agent} />,
            ],
            ['Location', <Name key="location" to="/locations/$name" name={spec.location} />],
            ['Folder', spec.folder],
            ['Type', 'Full, physical'],
            ['Schedule', spec.schedule ?? 'none, on demand'],
            ['Created', <Time key="created" at={createdAt} />],
            ['Started', <Time key="started" at={status.startedAt} />],
            ['Ended', <Time key="ended" at={status.endedAt} />],
            ['Duration', <RunDuration key="duration" status={backup.status} />],
            ['Retry mode', retryText(spec.retry)],
            ...(spec.description === '' ? [] : [['Description', spec.description] as const]),
            ['Id', <Copyable key="id" text={status.id} />],
          ]}
        />
      </Section>
      {status.result === undefined ? null : (
        <Section title="What it holds">
          <Facts facts={resultFacts(status.result)} />
        </Section>
      )}
    </>
  );
}

function resultFacts(result: NonNullable<Backup['status']['result']>): readonly Fact[] {
  const { source, gtid, binlog, toLsn, parent, files } = result;
  return [
    ['Server', `${source.vendor} ${formatVersion(source.serverVersion)}`],
    ['Taken with', source.engine],
    ['LSN', <Copyable key="lsn" text={toLsn} />],
    ['GTID', gtid === '' ? 'none' : <Copyable key="gtid" text={gtid} />],
    ['Binary log', binlog === undefined ? 'off' : <Copyable key="binlog" text={`${binlog.file}:${binlog.position}`} />],
    ['Lineage', <Copyable key="lineage" text={source.lineage} />],
    ['Leaned on', parent === undefined ? 'nothing: the first of its lineage' : <Copyable key="parent" text={parent} />],
    ['Files', plural(files, 'file')],
  ];
}

function Name({
  to,
  name,
}: {
  readonly to: '/services/$name' | '/agents/$name' | '/locations/$name';
  readonly name: string;
}) {
  return (
    <AnchorLink to={to} params={{ name }} inherit>
      {name}
    </AnchorLink>
  );
}

/** For what is pasted elsewhere. */
function Copyable({ text }: { readonly text: string }) {
  return (
    <Group gap={4} wrap="nowrap" align="flex-start">
      <Code style={{ overflowWrap: 'anywhere' }}>{text}</Code>
      <CopyButton value={text}>
        {({ copied, copy }) => (
          <UnstyledButton
            onClick={copy}
            aria-label={copied ? 'Copied' : `Copy ${text}`}
            c={copied ? 'var(--hf-good)' : 'dimmed'}
          >
            <Icon name={copied ? 'check' : 'copy'} size={14} />
          </UnstyledButton>
        )}
      </CopyButton>
    </Group>
  );
}

function retryText(retry: Backup['spec']['retry']): string {
  if (retry.mode === 'manual') return 'Manual';
  return `Auto, ${plural(retry.retries, 'retry', 'retries')}, ${formatInterval(retry.intervalSeconds)} apart`;
}
