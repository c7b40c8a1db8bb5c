import * as z from 'zod';
import { msOf } from '../../lib/clock.ts';
import { isPinned, proofOf } from '../../core/proof.ts';
import type { Note, Sealed } from '../../repository/documents.ts';
import { IndexReader } from '../../repository/index-reader.ts';
import { readNotes } from '../../repository/notes.ts';
import { readLog } from '../../repository/read-log.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Invocation } from '../context.ts';
import { findSealed } from '../find-backup.ts';
import { formatBytes, formatDuration, plural } from '../../api/figures.ts';
import { formatServer, formatTime } from '../format.ts';
import { plainText } from '../plain-text.ts';
import { openReadable, type ReadableRepository, warnUnverified } from '../store.ts';
import { formatFacts } from '../table.ts';
import { PermanentFailure } from '../../lib/failure.ts';

const optionsSchema = z.object({ log: z.boolean().default(false), service: z.string().optional() });

interface SegmentSummary {
  readonly segments: number;
  /** Bytes of segments that earlier backups uploaded and this one needs, too. */
  readonly sharedBytes: number;
  readonly ownBytes: number;
}

export async function showCommand({ context, args, options: raw }: Invocation): Promise<void> {
  const { output, signal } = context;
  const { log: wantsLog, service } = optionsSchema.parse(raw);
  await using opened = await openReadable(context);
  const { repository } = opened;
  const sealed = await findSealed(repository, args[0] ?? '', { signal, service });
  const notes = await readNotes(repository, sealed.backup, signal);
  const full = withKey(repository);
  const segments = full && (await summarise(full, sealed, signal));
  const log = wantsLog ? await readLog(full ?? needsKey(), sealed, signal) : undefined;
  output.json({
    type: 'result',
    ...sealed,
    proof: proofOf(sealed, notes),
    isPinned: isPinned(notes),
    notes,
    segments,
    log,
  });
  output.text(...formatFacts(factsOf(sealed, { notes, segments })));
  if (notes.length > 0)
    output.text('', 'Learnt later', ...notes.map((note) => `  ${formatTime(note.at)}  ${plainText(wordsOf(note))}`));
  if (wantsLog)
    output.text(
      '',
      'Log',
      ...(log ?? 'no log was kept')
        .trimEnd()
        .split('\n')
        .map((line) => `  ${plainText(line)}`),
    );
  warnUnverified(context, repository);
}

function withKey({ cipher, ...repository }: ReadableRepository): Repository | undefined {
  return cipher && { ...repository, cipher };
}

function needsKey(): never {
  throw new PermanentFailure('key-needed', 'Cannot show the log as it is encrypted', {
    nextStep: 'Give the passphrase with --passphrase-file, or the key with --key-file.',
  });
}

async function summarise(repository: Repository, sealed: Sealed, signal: AbortSignal): Promise<SegmentSummary> {
  const index = await IndexReader.open(sealed, { ...repository, signal });
  const uses = await index.segments();
  const own = uses.filter(({ name }) => name.startsWith(`${sealed.backup}/`));
  const sum = (sizes: readonly { readonly size: number }[]): number =>
    sizes.reduce((total, { size }) => total + size, 0);
  return { segments: uses.length, ownBytes: sum(own), sharedBytes: sum(uses) - sum(own) };
}

function factsOf(
  sealed: Sealed,
  { notes, segments }: { notes: readonly Note[]; segments: SegmentSummary | undefined },
): [string, string][] {
  const { source, binlog } = sealed;
  const proof = proofOf(sealed, notes);
  const took = msOf(sealed.endedAt) - msOf(sealed.startedAt);
  const facts: [string, string | undefined][] = [
    ['Id', sealed.backup],
    ['Name', sealed.name],
    ['Service', sealed.service],
    ['Schedule', sealed.schedule],
    ['Known', `${proof.level}, ${formatTime(proof.at)}${proof.reason === undefined ? '' : `: ${proof.reason}`}`],
    ['Pinned', isPinned(notes) ? 'yes' : 'no'],
    ['Server', `${formatServer(source)} (${source.serverVersion})`],
    ['Made by', `${source.engine} ${source.toolVersion}, ${sealed.program}`],
    ['Started', `${formatTime(sealed.startedAt)}, copying took ${formatDuration(took)}`],
    ['Files', plural(sealed.files, 'file')],
    ['Logical size', formatBytes(sealed.logicalBytes)],
    ['Stored by it', formatBytes(sealed.storedBytes)],
    ['Segments', segments && segmentWords(segments)],
    ['Compared with', sealed.parent ?? 'nothing: the first of its lineage'],
    ['Lineage', source.lineage],
    ['GTID', sealed.gtid === '' ? undefined : sealed.gtid],
    ['Binary log', binlog && `${binlog.file}, position ${binlog.position}`],
    ['LSN', `${sealed.fromLsn} to ${sealed.toLsn}, last ${sealed.lastLsn}`],
    ['Key id', sealed.keyId ?? 'not encrypted'],
  ];
  return facts.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
}

function segmentWords({ segments, ownBytes, sharedBytes }: SegmentSummary): string {
  return `${segments}: ${formatBytes(ownBytes)} of its own, ${formatBytes(sharedBytes)} shared with earlier backups`;
}

function wordsOf(note: Note): string {
  switch (note.kind) {
    case 'checked':
      return `checked: ${plural(note.blocks, 'block')}, ${formatBytes(note.bytes)} read back and verified`;
    case 'proven': {
      const steps = note.steps.map(({ name, ms }) => `${name} ${formatDuration(ms)}`).join(', ');
      return `proven on ${note.serverVersion}: ${plural(note.tables, 'table')} checked; ${steps}`;
    }
    case 'bad-segment':
      return `bad segment ${note.segment}: ${note.reason}`;
    default:
      return `${note.kind}: ${note.reason}`;
  }
}
