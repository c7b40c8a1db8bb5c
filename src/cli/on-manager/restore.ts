import * as z from 'zod';
import type { CallInput, CallOutput, ManagerClient } from '../../api/manager-client.ts';
import { Failure, InvalidRequest } from '../../lib/failure.ts';
import { confirm } from '../confirm.ts';
import type { Context, Invocation } from '../context.ts';
import { formatBytes, formatDuration } from '../../api/figures.ts';
import { reportRestore } from '../job-report.ts';
import { refuseLocalOptions, repositoryOptionNames, serverOptionNames } from '../refuse-options.ts';
import { sayWhere } from '../where.ts';
import { sayDetached } from './backup.ts';
import { sayFindings } from './findings.ts';
import { followRun } from './follow.ts';
import { openManager } from './open.ts';
import { needed, type RunResource } from './run-kinds.ts';

const optionsSchema = z.object({
  to: z.string().optional(),
  inPlace: z.boolean().default(false),
  onto: z.string().optional(),
  on: z.string().optional(),
  identity: z.enum(['new', 'keep']).optional(),
  replication: z.enum(['stopped', 'start']).optional(),
  acceptMissingTables: z.boolean().default(false),
  memory: z.number().optional(),
  plan: z.boolean().default(false),
  detach: z.boolean().default(false),
  yes: z.boolean().default(false),
});
type Options = z.infer<typeof optionsSchema>;
type RestoreBody = CallInput<'createRestore'>['body'];

const localOptions = [
  ...serverOptionNames,
  ...repositoryOptionNames,
  'dataDirectory',
  'unit',
  'stopCommand',
  'startCommand',
  'controlLimit',
  'owner',
  'stateDir',
  'service',
  'location',
  'folder',
];

/** Has a manager restore one of its backups, after showing what would happen, and follows it. */
export async function restoreOnManager(invocation: Invocation): Promise<void> {
  const { context, args } = invocation;
  const { signal } = context;
  refuseLocalOptions(invocation, localOptions, 'a manager');
  const options = optionsSchema.parse(invocation.options);
  using client = await openManager(invocation);
  sayWhere(context, { where: 'manager', url: client.url });
  const body = await bodyOf(client, args[0] ?? '', { ...options, signal });
  const plan = await client.call('planRestore', { body, signal });
  sayPlan(context, plan, options.plan);
  if (options.plan) return;
  if (!plan.isGo) throw refused(body.backup, plan);
  if ('service' in body.target) {
    const about = [
      `The data of service ${body.target.service} will be replaced by backup ${body.backup}; its server is stopped meanwhile.`,
      'What is there now is moved aside and kept.',
    ];
    await confirm(context, { about, word: body.target.service, isYes: options.yes });
  }
  const created = await client.call('createRestore', { body, signal });
  if (options.detach) return sayDetached(context, 'restore', created);
  reportRestoreRun(context, await followRun(context, { client, kind: 'restore', name: created.name }));
}

export function reportRestoreRun({ output }: Context, run: RunResource): void {
  if (run.kind !== 'Restore' || !run.status.result)
    throw new Failure('manager-answer-invalid', `Cannot tell of ${run.name} as the manager gave no result`);
  reportRestore(output, { ...run.status.result, backup: run.spec.backup });
}

async function bodyOf(
  client: ManagerClient,
  backup: string,
  { signal, ...options }: Options & { readonly signal: AbortSignal },
): Promise<RestoreBody> {
  const { to, on, onto, inPlace, memory, acceptMissingTables } = options;
  const targets = [to, onto, inPlace ? '' : undefined].filter((each) => each !== undefined);
  if (targets.length !== 1) {
    throw new InvalidRequest('target-unclear', 'Cannot restore as it is not clear where to', {
      nextStep: 'Give one of --to DIRECTORY, --onto SERVICE and --in-place.',
    });
  }
  const identity = needed(options.identity, { flag: '--identity', what: 'new for a copy, keep for the same server' });
  const replication = needed(options.replication, { flag: '--replication', what: 'stopped or start' });
  const { spec } = await client.call('getBackup', { params: { name: backup }, signal });
  const service = onto ?? spec.service;
  const agent = on ?? (await agentOf(client, service, signal));
  return {
    backup,
    agent,
    identity,
    replication,
    target: to === undefined ? { service } : { directory: to },
    ...(acceptMissingTables ? { acceptsMissingTables: true } : {}),
    ...(memory === undefined ? {} : { memoryBytes: memory }),
  } as RestoreBody;
}

async function agentOf(client: ManagerClient, name: string, signal: AbortSignal): Promise<string> {
  const { spec } = await client.call('getService', { params: { name }, signal });
  return spec.agent;
}

function sayPlan({ output }: Context, plan: CallOutput<'planRestore'>, isAsked: boolean): void {
  output.json({ type: isAsked ? 'result' : 'plan', ...plan });
  output.text(`What happens to restore ${formatBytes(plan.logicalBytes)}:`);
  for (const { text, expectedMs, isDowntime } of plan.steps) {
    const time = expectedMs === undefined ? '' : `, about ${formatDuration(expectedMs)}`;
    output.text(`  ${text}${time}${isDowntime ? ' (the server stands still)' : ''}`);
  }
  sayFindings(output, plan.findings);
}

function refused(backup: string, { findings }: CallOutput<'planRestore'>): Failure {
  const errors = findings.filter(({ level }) => level === 'error');
  return new InvalidRequest('restore-refused', `Cannot restore ${backup} there as the plan has errors`, {
    evidence: errors.map(({ message }) => message),
    nextStep: errors.find(({ nextStep }) => nextStep !== undefined)?.nextStep ?? 'Mend what the plan names.',
  });
}
