import type { AgentClient } from '../../api/client.ts';
import type { JobKind, JobOf } from '../../api/jobs.ts';
import type { Context } from '../context.ts';
import { follow, progressState } from '../follow.ts';

interface FollowedJob<Kind extends JobKind> {
  readonly client: AgentClient;
  readonly kind: Kind;
  readonly id: string;
}

/** Shows a job of an agent until it ends. @returns the job, which succeeded. @throws what it failed with */
export async function followJob<Kind extends JobKind>(
  context: Context,
  { client, kind, id }: FollowedJob<Kind>,
): Promise<JobOf<Kind>> {
  return follow<JobOf<Kind>>(context, {
    kind,
    id,
    peer: 'agent',
    watch: (options) => client.watch(kind, id, options),
    log: (options) => client.log(kind, id, options),
    cancel: (options) => client.cancel(kind, id, options),
    progressOf: (job) => progressState(job),
  });
}
