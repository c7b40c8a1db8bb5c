import * as z from 'zod';
import { isPinned } from '../../core/proof.ts';
import { addNote, readNotes } from '../../repository/notes.ts';
import type { Invocation } from '../context.ts';
import { findSealed } from '../find-backup.ts';
import { openFully } from '../store.ts';

const optionsSchema = z.object({ reason: z.string().default('asked for by a person'), service: z.string().optional() });

export async function pinCommand(invocation: Invocation): Promise<void> {
  await setPin(invocation, 'pinned');
}

export async function unpinCommand(invocation: Invocation): Promise<void> {
  await setPin(invocation, 'unpinned');
}

async function setPin({ context, args, options: raw }: Invocation, kind: 'pinned' | 'unpinned'): Promise<void> {
  const { output, signal } = context;
  const { reason, service } = optionsSchema.parse(raw);
  await using opened = await openFully(context);
  const { repository } = opened;
  const { backup: id } = await findSealed(repository, args[0] ?? '', { signal, service });
  const isSo = isPinned(await readNotes(repository, id, signal)) === (kind === 'pinned');
  if (!isSo) await addNote(repository, id, { note: { kind, reason }, signal });
  output.json({ type: 'result', id, isPinned: kind === 'pinned' });
  output.text(`Backup ${id} is ${kind}${isSo ? ' already' : ''}.`);
}
