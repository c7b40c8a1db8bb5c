import * as z from 'zod';
import { prune, voidAbandoned } from '../../repository/prune.ts';
import type { Invocation } from '../context.ts';
import { formatBytes, plural } from '../../api/figures.ts';
import { Progress } from '../progress.ts';
import { openFully } from '../store.ts';

const optionsSchema = z.object({ dryRun: z.boolean().default(false) });

export async function pruneCommand({ context, options: raw }: Invocation): Promise<void> {
  const { output, signal } = context;
  const { dryRun: isDryRun } = optionsSchema.parse(raw);
  await using opened = await openFully(context);
  const { repository } = opened;
  using progress = new Progress(output, context);
  progress.update({ step: 'looking for what nothing needs' });
  const abandoned = isDryRun ? [] : await voidAbandoned(repository, signal);
  const { remove, bytes, waiting } = await prune(repository, { signal, isDryRun });
  output.json({ type: 'result', isDryRun, abandoned, objects: remove.length, bytes, waiting });
  for (const id of abandoned) output.text(`Gave up ${id}: nothing was heard of it for seven days.`);
  for (const { backup, reason } of waiting) output.text(`Waiting: ${backup} keeps its data, as ${reason}.`);
  if (output.isVerbose)
    for (const { key, reason } of remove) output.text(`${isDryRun ? 'Would remove' : 'Removed'} ${key}: ${reason}`);
  const verb = isDryRun ? 'Would remove' : 'Removed';
  output.text(
    remove.length === 0 ? 'Nothing to remove.' : `${verb} ${plural(remove.length, 'object')}, ${formatBytes(bytes)}.`,
  );
}
