import type { Invocation } from './context.ts';
import { isOnAgent } from './where.ts';

export async function drillCommand(invocation: Invocation): Promise<void> {
  if (isOnAgent(invocation)) await (await import('./remote/drill.ts')).drillOnAgent(invocation);
  else await (await import('./local/drill.ts')).drillHere(invocation);
}
