import { Tooltip } from '@mantine/core';
import { Bytes, Nothing, TimeBelow } from '../../components/figures.tsx';
import type { Column } from '../../components/data-table.tsx';
import { Icon } from '../../components/icon.tsx';
import { AnchorLink } from '../../components/links.tsx';
import { RunDuration, RunMark } from '../../components/run-cells.tsx';
import type { Act, Backup } from './backup-actions.tsx';
import { BackupMenu } from './backup-menu.tsx';
import { ProofMark } from './proof-mark.tsx';

export function backupColumns(act: Act): readonly Column<Backup>[] {
  return [
    ...whatItIs,
    ...itsFigures,
    {
      id: 'actions',
      header: '',
      label: 'Actions',
      card: 'menu',
      cell: (backup) => <BackupMenu backup={backup} act={act} />,
    },
  ];
}

const whatItIs: readonly Column<Backup>[] = [
  {
    id: 'state',
    header: 'Status',
    sort: 'state',
    width: 104,
    card: 'mark',
    cell: (backup) => <RunMark run={backup} />,
  },
  {
    id: 'name',
    header: 'Name',
    sort: 'name',
    width: 160,
    card: 'title',
    cell: ({ name, spec }) => (
      <>
        <AnchorLink to="/backups/$name" params={{ name }} inherit fw={500}>
          {name}
        </AnchorLink>
        {spec.isPinned ? <Pinned /> : null}
      </>
    ),
  },
  { id: 'service', header: 'Service', sort: 'service', cell: ({ spec }) => spec.service },
  {
    id: 'technology',
    header: 'Technology',
    sort: 'technology',
    width: 84,
    cell: ({ status }) => status.technology ?? <Nothing />,
  },
  { id: 'created', header: 'Created', sort: 'createdAt', cell: ({ createdAt }) => <TimeBelow at={createdAt} /> },
  // Whatever was stored before: each restores by itself.
  { id: 'type', header: 'Type', cell: () => 'Full' },
  { id: 'location', header: 'Location', sort: 'location', cell: ({ spec }) => spec.location },
];

const itsFigures: readonly Column<Backup>[] = [
  {
    id: 'logical',
    header: 'Logical',
    sort: 'logicalBytes',
    align: 'right',
    cell: ({ status }) => <Bytes value={status.result?.logicalBytes} />,
  },
  {
    id: 'stored',
    header: 'Stored',
    sort: 'storedBytes',
    align: 'right',
    cell: ({ status }) => <Bytes value={status.result?.storedBytes} />,
  },
  {
    id: 'duration',
    header: 'Duration',
    sort: 'durationMs',
    align: 'right',
    cell: (backup) => <RunDuration status={backup.status} />,
  },
  {
    id: 'proof',
    header: 'Proof',
    sort: 'proof',
    cell: ({ status }) => <ProofMark proof={status.proof} />,
  },
];

function Pinned() {
  return (
    <Tooltip label="Pinned: it is kept until someone unpins it">
      <span role="img" aria-label="Pinned" style={{ marginLeft: 4, verticalAlign: 'middle', display: 'inline-flex' }}>
        <Icon name="pin" size={14} />
      </span>
    </Tooltip>
  );
}
