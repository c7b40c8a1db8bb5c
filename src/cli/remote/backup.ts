import { hostname } from 'node:os';
import * as z from 'zod';
import { isoTime, msOf } from '../../lib/clock.ts';
import { Failure } from '../../lib/failure.ts';
import { newBackupId, parseBackupId } from '../../repository/names.ts';
import type { Invocation } from '../context.ts';
import { reportBackup } from '../job-report.ts';
import { withRetries } from '../retries.ts';
import { refuseLocalOptions, repositoryOptionNames, serverOptionNames } from '../refuse-options.ts';
import { sayWhere } from '../where.ts';
import { openAgent, type Remote } from './agent.ts';
import { followJob } from './follow.ts';

const optionsSchema = z.object({
  service: z.string().optional(),
  name: z.string().optional(),
  compression: z.number(),
  parallel: z.number().exactOptional(),
  lockedStall: z.number(),
  retries: z.number(),
  resume: z.string().optional(),
});

/** Has an agent take a backup, and follows it. */
export async function backUpOnAgent(invocation: Invocation): Promise<void> {
  const { context } = invocation;
  const { output, signal, clock } = context;
  refuseLocalOptions(invocation, [...serverOptionNames, ...repositoryOptionNames, 'stateDir'], 'an agent');
  const { compression, parallel, lockedStall, retries, resume, ...names } = optionsSchema.parse(invocation.options);
  using remote = await openAgent(invocation);
  const { client, place } = remote;
  sayWhere(context, { where: 'agent', url: client.url });
  const id = resume === undefined ? newBackupId(clock.now()) : parseBackupId(resume);
  const service = names.service ?? serviceOf(remote);
  const name = names.name ?? `${service} ${isoTime(clock.now()).slice(0, 16)}Z`;
  const firstAttempt = resume === undefined ? 1 : await nextAttempt(remote, id, signal);
  const job = await withRetries(context, retries, async (failures) => {
    const body = {
      ...place,
      attempt: firstAttempt + failures,
      name,
      service,
      compression,
      lockedStallSeconds: lockedStall,
      ...(parallel === undefined ? {} : { parallel }),
    };
    await client.start('backup', id, { body, signal });
    return followJob(context, { client, kind: 'backup', id });
  });
  if (!job.result) throw new Failure('agent-answer-invalid', `Cannot tell of backup ${id} as the agent gave no result`);
  reportBackup(output, job.result, { tookMs: msOf(job.endedAt ?? job.updatedAt) - msOf(job.startedAt) });
}

/** The host of the agent names the server, as this host does in this process. */
function serviceOf({ client }: Remote): string {
  const { hostname: host } = client.url;
  return /^(localhost$|127\.|\[)/.test(host) ? hostname() : host;
}

async function nextAttempt({ client }: Remote, id: string, signal: AbortSignal): Promise<number> {
  const job = await client.get('backup', id, { signal });
  return job.attempt + 1;
}
