import type { Invocation } from './context.ts';
import { refuseElsewhereOptions, refuseManagerOptions } from './refuse-options.ts';
import { whereOf } from './where.ts';

export async function drillCommand(invocation: Invocation): Promise<void> {
  const where = await whereOf(invocation);
  if (where !== 'manager') refuseManagerOptions(invocation);
  switch (where) {
    case 'manager':
      return (await import('./on-manager/drill.ts')).drillOnManager(invocation);
    case 'agent':
      return (await import('./remote/drill.ts')).drillOnAgent(invocation);
    case 'process':
      refuseElsewhereOptions(invocation);
      return (await import('./local/drill.ts')).drillHere(invocation);
  }
}
