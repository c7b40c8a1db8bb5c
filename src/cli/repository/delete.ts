import * as z from 'zod';
import { bytesFreedByDeleting } from '../../core/freed-by-deleting.ts';
import { isPinned } from '../../core/proof.ts';
import { Conflict, CorruptData } from '../../lib/failure.ts';
import { listBackups } from '../../repository/list.ts';
import { readNotes } from '../../repository/notes.ts';
import type { Repository } from '../../repository/repository.ts';
import { markDeleted } from '../../repository/settle.ts';
import { confirm } from '../confirm.ts';
import type { Invocation } from '../context.ts';
import { findId, findSealed } from '../find-backup.ts';
import { formatBytes, plural } from '../../api/figures.ts';
import { formatTime } from '../format.ts';
import { openFully } from '../store.ts';

const optionsSchema = z.object({
  yes: z.boolean().default(false),
  reason: z.string().default('asked for by a person'),
});

export async function deleteCommand({ context, args, options: raw }: Invocation): Promise<void> {
  const { output, signal } = context;
  const { yes, reason } = optionsSchema.parse(raw);
  await using opened = await openFully(context);
  const { repository } = opened;
  const found: Wanted[] = [];
  for (const text of args) found.push(await findWanted(repository, text, signal));
  const wanted = [...new Map(found.map((each) => [each.backup, each])).values()];
  for (const { backup } of wanted) await refusePinned(repository, backup, signal);
  const freed = await freedBytes(repository, wanted, signal);
  const about = [
    ...wanted.map(({ backup, about }) => `${backup}  ${about}`),
    `Deleting ${plural(wanted.length, 'backup')} frees ${freed === undefined ? 'an unknown amount' : formatBytes(freed)}, with the first prune that runs a day later.`,
  ];
  const [only] = wanted;
  await confirm(context, { about, isYes: yes, word: wanted.length === 1 && only ? only.backup : 'delete' });
  for (const { backup } of wanted) {
    await markDeleted(repository, backup, { reason, signal });
    output.text(`Deleted ${backup}.`);
  }
  output.json({ type: 'result', deleted: wanted.map(({ backup }) => backup), freedBytes: freed });
  output.remark(freedWords(freed));
}

interface Wanted {
  readonly backup: string;
  readonly about: string;
}

/** One whose seal is damaged can be deleted, too: it would keep everything else from being collected. */
async function findWanted(repository: Repository, text: string, signal: AbortSignal): Promise<Wanted> {
  try {
    const { backup, service, name, startedAt } = await findSealed(repository, text, { signal });
    return { backup, about: `${service}, ${name}, of ${formatTime(startedAt)}` };
  } catch (error) {
    if (!(error instanceof CorruptData) || text === 'latest') throw error;
    return { backup: await findId(repository, text, { signal }), about: `DAMAGED: ${error.message}` };
  }
}

async function refusePinned(repository: Repository, backup: string, signal: AbortSignal): Promise<void> {
  if (!isPinned(await readNotes(repository, backup, signal))) return;
  throw new Conflict('pinned', `Cannot delete backup ${backup} as it is pinned`, {
    nextStep: 'Unpin it first, if it is not needed any more: `holdfast repository unpin`.',
  });
}

/** A table that cannot be read keeps nobody from deleting: the damaged backup may be just the one. */
async function freedBytes(
  repository: Repository,
  wanted: readonly Wanted[],
  signal: AbortSignal,
): Promise<number | undefined> {
  const listed = await listBackups(repository, { signal });
  const sealed = listed.flatMap((each) => (each.state === 'sealed' ? [each.sealed] : []));
  const deleted = new Set(wanted.map(({ backup }) => backup));
  return bytesFreedByDeleting(repository, { sealed, deleted, signal }).catch(() => {
    signal.throwIfAborted();
    return undefined;
  });
}

function freedWords(freed: number | undefined): string {
  const what = freed === undefined ? 'Its data' : `About ${formatBytes(freed)}`;
  return `${what} goes with the first \`holdfast repository prune\` that runs 24 hours from now or later.`;
}
