import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { Failure } from '../../lib/failure.ts';
import type { Invocation } from '../context.ts';
import { reportDrill } from '../job-report.ts';
import { refuseLocalOptions } from '../refuse-options.ts';
import { sayWhere } from '../where.ts';
import { openAgent } from './agent.ts';
import { backupIdOf } from './backup-id.ts';
import { followJob } from './follow.ts';

const optionsSchema = z.object({
  checksums: z.boolean().default(false),
  extended: z.boolean().default(false),
  memory: z.number().optional(),
  service: z.string().optional(),
});

/** Has an agent prove a backup, and follows it. */
export async function drillOnAgent(invocation: Invocation): Promise<void> {
  const { context, args } = invocation;
  const { output, signal } = context;
  refuseLocalOptions(invocation, ['serverProgram', 'owner', 'directory'], 'an agent');
  const { checksums, extended, memory, service } = optionsSchema.parse(invocation.options);
  using remote = await openAgent(invocation);
  const { client, place } = remote;
  sayWhere(context, { where: 'agent', url: client.url });
  const backup = await backupIdOf(context, args[0] ?? '', service);
  const id = `cli-${randomBytes(8).toString('hex')}`;
  const body = {
    ...place,
    attempt: 1,
    backup,
    withChecksums: checksums,
    depth: extended ? ('extended' as const) : ('quick' as const),
    ...(memory === undefined ? {} : { memoryBytes: memory }),
  };
  await client.start('drill', id, { body, signal });
  const { result } = await followJob(context, { client, kind: 'drill', id });
  if (!result) throw new Failure('agent-answer-invalid', `Cannot tell of drill ${id} as the agent gave no result`);
  reportDrill(output, backup, result);
}
