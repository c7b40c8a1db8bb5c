import type { Invocation } from './context.ts';
import { isOnAgent } from './where.ts';

export async function restoreCommand(invocation: Invocation): Promise<void> {
  if (isOnAgent(invocation)) await (await import('./remote/restore.ts')).restoreOnAgent(invocation);
  else await (await import('./local/restore.ts')).restoreHere(invocation);
}
