import * as z from 'zod';
import { isPinned, proofOf } from '../../core/proof.ts';
import { isoTime, msOf } from '../../lib/clock.ts';
import { type ListedBackup, listBackups } from '../../repository/list.ts';
import type { Invocation } from '../context.ts';
import { formatBytes, plural } from '../../api/figures.ts';
import { formatAge, formatServer, formatTime } from '../format.ts';
import { openReadable, warnUnverified } from '../store.ts';
import { type Column, formatTable } from '../table.ts';

const optionsSchema = z.object({ service: z.string().optional(), all: z.boolean().default(false) });

const columns: readonly Column[] = [
  { title: 'ID' },
  { title: 'NAME' },
  { title: 'SERVICE' },
  { title: 'SERVER' },
  { title: 'CREATED' },
  { title: 'LOGICAL', align: 'right' },
  { title: 'STORED', align: 'right' },
  { title: 'KNOWN' },
];

export async function listCommand({ context, options: raw }: Invocation): Promise<void> {
  const { output, signal, clock } = context;
  const { service, all } = optionsSchema.parse(raw);
  await using opened = await openReadable(context);
  const { repository } = opened;
  const found = await listBackups(repository, { signal, includeVoid: all });
  const backups = found.filter(
    (each) =>
      // Whose backup it is cannot be told where that is damaged.
      service === undefined || each.state === 'damaged' || (each.state === 'sealed' && each.sealed.service === service),
  );
  for (const each of backups) output.json({ type: 'backup', ...documentOf(each) });
  if (backups.length === 0)
    output.text(service === undefined ? 'No backup is here yet.' : `No backup of ${service} is here.`);
  else
    output.text(
      ...formatTable(
        columns,
        backups.map((each) => rowOf(each, clock.now())),
      ),
    );
  const stored = backups.reduce((sum, each) => sum + (each.state === 'sealed' ? each.sealed.storedBytes : 0), 0);
  if (backups.length > 0) output.remark('', `${plural(backups.length, 'backup')}, ${formatBytes(stored)} stored.`);
  warnUnverified(context, repository);
}

function rowOf(listed: ListedBackup, nowMs: number): string[] {
  if (listed.state === 'void') return [listed.backup, '', '', '', '', '', '', 'given up'];
  if (listed.state === 'damaged') return [listed.backup, '', '', '', '', '', '', `DAMAGED: ${listed.reason}`];
  if (listed.state === 'unsettled') {
    const begun = listed.begunAt.getTime();
    const known = `being made or abandoned, begun ${formatAge(nowMs - begun)}`;
    return [listed.backup, '', '', '', formatTime(isoTime(begun)), '', '', known];
  }
  const { sealed, notes } = listed;
  const { name, service, source, startedAt, logicalBytes, storedBytes } = sealed;
  const { level, at } = proofOf(sealed, notes);
  const words = {
    sealed: 'sealed',
    checked: 'checked',
    proven: 'proven',
    failed: 'FAILED its test',
    damaged: 'DAMAGED',
  };
  const known = `${words[level]} ${formatAge(nowMs - msOf(at))}${isPinned(notes) ? ', pinned' : ''}`;
  const created = formatTime(startedAt);
  return [
    listed.backup,
    name,
    service,
    formatServer(source),
    created,
    formatBytes(logicalBytes),
    formatBytes(storedBytes),
    known,
  ];
}

function documentOf(listed: ListedBackup): Record<string, unknown> {
  if (listed.state === 'void') return { id: listed.backup, state: 'void' };
  if (listed.state === 'damaged') return { id: listed.backup, state: 'damaged', reason: listed.reason };
  if (listed.state === 'unsettled') return { id: listed.backup, state: 'unsettled', begunAt: listed.begunAt };
  const { sealed, notes } = listed;
  const { backup: id, name, service, schedule, source, startedAt, sealedAt, logicalBytes, storedBytes } = sealed;
  const proof = proofOf(sealed, notes);
  const identity = { id, state: 'sealed', name, service, schedule, source, startedAt, sealedAt };
  return { ...identity, logicalBytes, storedBytes, proof, isPinned: isPinned(notes) };
}
