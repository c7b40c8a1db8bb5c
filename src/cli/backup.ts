import type { Invocation } from './context.ts';
import { isOnAgent } from './where.ts';

export async function backupCommand(invocation: Invocation): Promise<void> {
  if (isOnAgent(invocation)) await (await import('./remote/backup.ts')).backUpOnAgent(invocation);
  else await (await import('./local/backup.ts')).backUpHere(invocation);
}
