import * as z from 'zod';
import { Conflict } from '../../lib/failure.ts';
import { readSettlement, voidBackup } from '../../repository/settle.ts';
import { confirm } from '../confirm.ts';
import type { Invocation } from '../context.ts';
import { findId } from '../find-backup.ts';
import { openFully } from '../store.ts';

const optionsSchema = z.object({ yes: z.boolean().default(false), reason: z.string().default('given up by a person') });

export async function abandonCommand({ context, args, options: raw }: Invocation): Promise<void> {
  const { output, signal } = context;
  const { yes, reason } = optionsSchema.parse(raw);
  await using opened = await openFully(context);
  const { repository } = opened;
  const id = await findId(repository, args[0] ?? '', { signal });
  const settlement = await readSettlement(repository, id, signal);
  if (settlement?.state === 'sealed') {
    throw new Conflict('already-settled', `Cannot abandon backup ${id} as it is complete`, {
      nextStep: 'Delete it, if it is not needed: `holdfast repository delete`.',
    });
  }
  if (settlement?.state === 'void') {
    output.json({ type: 'result', abandoned: id });
    output.text(`Backup ${id} was given up already.`);
    return;
  }
  const about = [
    `Backup ${id} was begun and is not complete. If its writer is still at work, it stops and its work is lost.`,
  ];
  await confirm(context, { about, word: id, isYes: yes });
  await voidBackup(repository, id, { reason, signal });
  output.json({ type: 'result', abandoned: id });
  output.text(`Gave up ${id}. Its data goes with the first \`holdfast repository prune\` a day later.`);
}
