import * as z from 'zod';
import { Failure } from '../../lib/failure.ts';
import type { Context, Invocation } from '../context.ts';
import { reportDrill } from '../job-report.ts';
import { refuseLocalOptions, repositoryOptionNames } from '../refuse-options.ts';
import { sayWhere } from '../where.ts';
import { sayDetached } from './backup.ts';
import { followRun } from './follow.ts';
import { openManager } from './open.ts';
import type { RunResource } from './run-kinds.ts';

const optionsSchema = z.object({
  checksums: z.boolean().default(false),
  extended: z.boolean().default(false),
  memory: z.number().optional(),
  on: z.string().optional(),
  detach: z.boolean().default(false),
});

const localOptions = ['serverProgram', 'owner', 'directory', 'service', 'location', 'folder'];

/** Has a manager prove one of its backups, and follows it. */
export async function drillOnManager(invocation: Invocation): Promise<void> {
  const { context, args } = invocation;
  refuseLocalOptions(invocation, [...repositoryOptionNames, ...localOptions], 'a manager');
  const { checksums, extended, memory, on, detach } = optionsSchema.parse(invocation.options);
  using client = await openManager(invocation);
  sayWhere(context, { where: 'manager', url: client.url });
  const body = {
    backup: args[0] ?? '',
    depth: extended ? ('extended' as const) : ('quick' as const),
    withChecksums: checksums,
    ...(on === undefined ? {} : { agent: on }),
    ...(memory === undefined ? {} : { memoryBytes: memory }),
  };
  const created = await client.call('createDrill', { body, signal: context.signal });
  if (detach) return sayDetached(context, 'drill', created);
  reportDrillRun(context, await followRun(context, { client, kind: 'drill', name: created.name }));
}

export function reportDrillRun({ output }: Context, run: RunResource): void {
  if (run.kind !== 'Drill' || !run.status.result)
    throw new Failure('manager-answer-invalid', `Cannot tell of ${run.name} as the manager gave no result`);
  reportDrill(output, run.spec.backup, run.status.result);
}
