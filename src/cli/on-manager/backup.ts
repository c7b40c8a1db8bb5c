import * as z from 'zod';
import type { ManagerClient } from '../../api/manager-client.ts';
import type { Retry } from '../../api/resource-fields.ts';
import { isoTime, msOf } from '../../lib/clock.ts';
import { Failure, InvalidRequest } from '../../lib/failure.ts';
import type { Context, Invocation } from '../context.ts';
import { reportBackup } from '../job-report.ts';
import { refuseLocalOptions, repositoryOptionNames, serverOptionNames } from '../refuse-options.ts';
import { sayWhere } from '../where.ts';
import { followRun } from './follow.ts';
import { openManager } from './open.ts';
import { type BackupResource, needed, type RunResource } from './run-kinds.ts';

const optionsSchema = z.object({
  service: z.string().optional(),
  name: z.string().optional(),
  location: z.string().optional(),
  folder: z.string().optional(),
  description: z.string().default(''),
  compression: z.number(),
  parallel: z.number().optional(),
  lockedStall: z.number(),
  retries: z.number(),
  retryInterval: z.number(),
  detach: z.boolean().default(false),
});

/** Has a manager take a backup of one of its services, and follows it. */
export async function backUpOnManager(invocation: Invocation): Promise<void> {
  const { context } = invocation;
  const { signal, clock, output } = context;
  refuseLocalOptions(invocation, [...serverOptionNames, ...repositoryOptionNames, 'stateDir', 'resume'], 'a manager');
  const given = optionsSchema.parse(invocation.options);
  using client = await openManager(invocation);
  sayWhere(context, { where: 'manager', url: client.url });
  const service = needed(given.service, { flag: '--service', what: 'the service to back up' });
  const location = given.location ?? (await onlyLocation(client, signal));
  const folder = given.folder ?? (await folderOf(client, service, signal));
  const { name = nameFor(service, clock.now()), description, compression, parallel, lockedStall } = given;
  const body = {
    name,
    service,
    location,
    description,
    compression,
    retry: retryOf(given),
    lockedStallSeconds: lockedStall,
    ...(folder === undefined ? {} : { folder }),
    ...(parallel === undefined ? {} : { parallel }),
  };
  const created = await client.call('createBackup', { body, signal });
  output.remark(`Backup ${created.name} was begun.`);
  if (given.detach) return sayDetached(context, 'backup', created);
  reportBackupRun(context, await followRun(context, { client, kind: 'backup', name: created.name }));
}

export function reportBackupRun({ output }: Context, run: RunResource): void {
  const { result, startedAt, endedAt } = backupOf(run).status;
  if (!result) throw new Failure('manager-answer-invalid', `Cannot tell of ${run.name} as the manager gave no result`);
  const tookMs = msOf(endedAt ?? result.sealedAt) - msOf(startedAt ?? result.startedAt);
  reportBackup(output, result, { tookMs, called: run.name });
}

/** It goes on without this program. */
export function sayDetached({ output }: Context, kind: string, run: RunResource): void {
  output.json({ type: 'result', ...run });
  output.text(`It goes on at the manager: holdfast ${kind} follow ${run.name}`);
}

function backupOf(run: RunResource): BackupResource {
  if (run.kind === 'Backup') return run;
  throw new Failure('manager-answer-invalid', `Cannot read the answer of the manager as it is about a ${run.kind}`);
}

/** As a form would prefill it: the label of the service's cluster. */
export async function folderOf(client: ManagerClient, name: string, signal: AbortSignal): Promise<string | undefined> {
  const { spec } = await client.call('getService', { params: { name }, signal });
  return spec.clusterLabel;
}

export async function onlyLocation(client: ManagerClient, signal: AbortSignal): Promise<string> {
  const { items, total } = await client.call('listLocations', { query: {}, signal });
  const [only] = items;
  if (only !== undefined && total === 1) return only.name;
  throw new InvalidRequest('location-unclear', 'Cannot tell which storage location is meant', {
    evidence: [`the manager has ${total === 0 ? 'none' : items.map(({ name }) => name).join(', ')}`],
    nextStep: total === 0 ? 'Add one with `holdfast storage add`.' : 'Name one with --location.',
  });
}

function nameFor(service: string, nowMs: number): string {
  return `${service}-${isoTime(nowMs).slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}

function retryOf({ retries, retryInterval }: { retries: number; retryInterval: number }): Retry {
  return retries === 0 ? { mode: 'manual' } : { mode: 'auto', retries, intervalSeconds: retryInterval };
}
