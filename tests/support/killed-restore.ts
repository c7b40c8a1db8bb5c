import { expect } from 'vitest';
import type { AgentClient } from '../../src/api/client.ts';
import type { Job, RestoreRequest } from '../../src/api/jobs.ts';
import { type AgentHome, clientOf, ending, spawnAgent } from './agents.ts';

const signal = new AbortController().signal;
type Wish = Pick<RestoreRequest, 'attempt' | 'backup' | 'target'> & { readonly location: string };

/**
 * Lets an agent begin a restore, and kills it with SIGKILL in a step of that. @returns false where the restore was over before
 * the step was seen
 */
export async function killInStep(
  home: AgentHome,
  { id, step, wish }: { readonly id: string; readonly step: string; readonly wish: Wish },
): Promise<boolean> {
  await using agent = await spawnAgent(home);
  using client = await clientOf(home, agent);
  await client.start('restore', id, { body: wish, signal });
  let job: Job | undefined;
  while (job?.step !== step && job?.endedAt === undefined) job = await client.get('restore', id, { signal });
  await agent.child.end('SIGKILL');
  return job.endedAt === undefined;
}

/** Has an agent put in order what was left, so that it takes jobs again? A job that cannot succeed tells. */
export async function hasRecovered(client: AgentClient, wish: Wish): Promise<boolean> {
  const id = `probe-${performance.now().toFixed(0)}`;
  try {
    await client.start('restore', id, { body: { ...wish, location: 'nowhere' }, signal });
  } catch {
    return false;
  }
  expect(await ending(client, 'restore', id)).toMatchObject({ failure: { code: 'unknown-location' } });
  return true;
}
