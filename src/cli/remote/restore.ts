import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { Failure, InvalidRequest } from '../../lib/failure.ts';
import { confirm } from '../confirm.ts';
import type { Invocation } from '../context.ts';
import { reportRestore } from '../job-report.ts';
import { refuseLocalOptions, serverOptionNames } from '../refuse-options.ts';
import { sayWhere } from '../where.ts';
import { openAgent } from './agent.ts';
import { backupIdOf } from './backup-id.ts';
import { followJob } from './follow.ts';

const optionsSchema = z.object({
  to: z.string().optional(),
  inPlace: z.boolean().default(false),
  acceptMissingTables: z.boolean().default(false),
  yes: z.boolean().default(false),
  memory: z.number().optional(),
  service: z.string().optional(),
});

const controlOptions = ['dataDirectory', 'unit', 'stopCommand', 'startCommand', 'controlLimit', 'owner'];

/** Has an agent restore a backup, and follows it. */
export async function restoreOnAgent(invocation: Invocation): Promise<void> {
  const { context, args } = invocation;
  const { output, signal } = context;
  refuseLocalOptions(invocation, [...serverOptionNames, ...controlOptions, 'stateDir'], 'an agent');
  const { to, inPlace, acceptMissingTables, yes, memory, service } = optionsSchema.parse(invocation.options);
  if ((to === undefined) !== inPlace) {
    throw new InvalidRequest('target-unclear', 'Cannot restore as it is not clear where to', {
      nextStep: 'Give either --to DIRECTORY or --in-place.',
    });
  }
  using remote = await openAgent(invocation);
  const { client, place } = remote;
  sayWhere(context, { where: 'agent', url: client.url });
  const backup = await backupIdOf(context, args[0] ?? '', service);
  if (inPlace) {
    const about = [
      `The data directory of the server at ${client.url.host} will hold backup ${backup}.`,
      'What is there now is moved aside and kept.',
    ];
    await confirm(context, { about, word: 'restore', isYes: yes });
  }
  const id = `cli-${randomBytes(8).toString('hex')}`;
  const target = to === undefined ? { inPlace: true as const } : { directory: to };
  const body = {
    ...place,
    attempt: 1,
    backup,
    target,
    ...(acceptMissingTables ? { acceptsMissingTables: true } : {}),
    ...(memory === undefined ? {} : { memoryBytes: memory }),
  };
  await client.start('restore', id, { body, signal });
  const { result } = await followJob(context, { client, kind: 'restore', id });
  if (!result) throw new Failure('agent-answer-invalid', `Cannot tell of restore ${id} as the agent gave no result`);
  reportRestore(output, { ...result, backup });
}
