import { InvalidRequest } from '../../lib/failure.ts';
import { isBackupId } from '../../repository/names.ts';
import type { Context } from '../context.ts';
import { findSealed } from '../find-backup.ts';
import { openReadable } from '../store.ts';

/** Agents take whole ids; a short one, or `latest`, is looked up in the repository where this process can reach it. */
export async function backupIdOf(context: Context, text: string, service: string | undefined): Promise<string> {
  if (isBackupId(text)) return text;
  if (context.options.repository === undefined) {
    throw new InvalidRequest('id-not-whole', `Cannot ask an agent for backup ${text} as that is not a whole id`, {
      nextStep: 'Give the whole id, or --repository as well, to look it up there.',
    });
  }
  await using opened = await openReadable(context);
  const { backup } = await findSealed(opened.repository, text, { signal: context.signal, service });
  return backup;
}
