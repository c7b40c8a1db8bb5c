import type { Invocation } from './context.ts';
import { refuseElsewhereOptions, refuseManagerOptions } from './refuse-options.ts';
import { whereOf } from './where.ts';

export async function backupCommand(invocation: Invocation): Promise<void> {
  const where = await whereOf(invocation);
  if (where !== 'manager') refuseManagerOptions(invocation);
  switch (where) {
    case 'manager':
      return (await import('./on-manager/backup.ts')).backUpOnManager(invocation);
    case 'agent':
      return (await import('./remote/backup.ts')).backUpOnAgent(invocation);
    case 'process':
      refuseElsewhereOptions(invocation);
      return (await import('./local/backup.ts')).backUpHere(invocation);
  }
}
