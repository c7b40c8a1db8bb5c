import type { Invocation } from './context.ts';
import { refuseElsewhereOptions, refuseManagerOptions } from './refuse-options.ts';
import { whereOf } from './where.ts';

export async function restoreCommand(invocation: Invocation): Promise<void> {
  const where = await whereOf(invocation);
  if (where !== 'manager') refuseManagerOptions(invocation);
  switch (where) {
    case 'manager':
      return (await import('./on-manager/restore.ts')).restoreOnManager(invocation);
    case 'agent':
      return (await import('./remote/restore.ts')).restoreOnAgent(invocation);
    case 'process':
      refuseElsewhereOptions(invocation);
      return (await import('./local/restore.ts')).restoreHere(invocation);
  }
}
