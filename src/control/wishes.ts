import { backupSpecSchema, backupStatusSchema, drillSpecSchema, drillStatusSchema } from '../api/runs.ts';
import { restoreSpecSchema, restoreStatusSchema } from '../api/runs.ts';
import type { Resource, ResourceKind, RunKind } from '../api/resources.ts';
import { Conflict, InvalidRequest } from '../lib/failure.ts';
import { newBackupId } from '../repository/names.ts';
import { pinned } from './backup-care.ts';
import type { BackupWish, DrillWish, RestoreWish } from './wish-types.ts';
import type { ControlContext } from './context.ts';
import { chooseDrillAgent } from './drill-host.ts';
import { change, find } from './find.ts';
import { restorable } from './restore-ops.ts';
import { hasEnded, startDeleting } from './run-states.ts';

/** What people want, written into the catalog: the loops make it true. */

const fresh = { state: 'Pending', attempt: 0, attempts: [] } as const;

export async function createBackup(
  context: ControlContext,
  { name, ...wish }: BackupWish,
): Promise<Resource<'Backup'>> {
  const { catalog, clock } = context;
  const { status: service } = await find(catalog, 'Service', wish.service);
  await find(catalog, 'StorageLocation', wish.location);
  const id = newBackupId(clock.now());
  return catalog.create('Backup', name, {
    spec: backupSpecSchema.parse(wish),
    status: backupStatusSchema.parse({ ...fresh, id, technology: service.vendor }),
  });
}

export async function createRestore(
  context: ControlContext,
  { name, ...wish }: RestoreWish,
): Promise<Resource<'Restore'>> {
  const { catalog } = context;
  await restorable(context, wish.backup);
  await find(catalog, 'Agent', wish.agent);
  if ('service' in wish.target) await refuseOtherAgent(context, wish.target.service, wish.agent);
  return catalog.create('Restore', name ?? madeName(context, 'restore'), {
    spec: restoreSpecSchema.parse(wish),
    status: restoreStatusSchema.parse(fresh),
  });
}

export async function createDrill(
  context: ControlContext,
  { name, agent: wanted, ...wish }: DrillWish,
): Promise<Resource<'Drill'>> {
  const { catalog } = context;
  const backup = await restorable(context, wish.backup);
  const agent = wanted ?? (await chooseDrillAgent(catalog, backup));
  await find(catalog, 'Agent', agent);
  return catalog.create('Drill', name ?? madeName(context, 'drill'), {
    spec: drillSpecSchema.parse({ ...wish, agent }),
    status: drillStatusSchema.parse(fresh),
  });
}

export async function cancelRun<Kind extends RunKind>(
  { catalog }: ControlContext,
  ref: { readonly kind: Kind; readonly name: string },
): Promise<Resource<Kind>> {
  return change(catalog, ref, (found) => {
    if (found.spec.isCancelled) return undefined;
    if (hasEnded(found.status.state) || found.status.state === 'Deleting') throw alreadyEnded(found);
    return { spec: { ...found.spec, isCancelled: true }, status: found.status };
  });
}

export async function retryBackup({ catalog }: ControlContext, name: string): Promise<Resource<'Backup'>> {
  return change(catalog, { kind: 'Backup', name }, ({ spec, status }) => {
    const { state } = status;
    if (spec.isDeleted || (state !== 'Failed' && state !== 'Waiting')) throw notFailed(name, state);
    // Asked twice before it began, it is one attempt.
    if (spec.retriesAsked > status.retriesTaken) return undefined;
    return { spec: { ...spec, retriesAsked: status.retriesTaken + 1 }, status };
  });
}

export async function setPinned(
  { catalog }: ControlContext,
  name: string,
  isPinned: boolean,
): Promise<Resource<'Backup'>> {
  return change(catalog, { kind: 'Backup', name }, ({ spec, status }) => {
    if (status.state !== 'Succeeded' && status.state !== 'DeleteFailed') throw notSucceeded(name, status.state);
    return spec.isPinned === isPinned ? undefined : { spec: { ...spec, isPinned }, status };
  });
}

export async function deleteBackup({ catalog }: ControlContext, name: string): Promise<Resource<'Backup'>> {
  return change(catalog, { kind: 'Backup', name }, ({ spec, status }) => {
    if (spec.isPinned) throw pinned(name);
    if (status.state === 'DeleteFailed') return { spec: { ...spec, isDeleted: true }, status: startDeleting(status) };
    if (spec.isDeleted) return undefined;
    if (!hasEnded(status.state)) throw stillRunning(name, status.state);
    return { spec: { ...spec, isDeleted: true }, status };
  });
}

/** Sorts by time, like the ids of backups. */
function madeName({ clock }: ControlContext, what: string): string {
  return `${what}-${newBackupId(clock.now())}`;
}

async function refuseOtherAgent({ catalog }: ControlContext, service: string, agent: string): Promise<void> {
  const { spec } = await find(catalog, 'Service', service);
  if (spec.agent === agent) return;
  throw new InvalidRequest(
    'other-agent',
    `Cannot restore onto service ${service} by agent ${agent} as another one is beside it: ${spec.agent}`,
    { nextStep: `Name agent ${spec.agent}.` },
  );
}

function alreadyEnded({ kind, name, status }: Resource<RunKind>): Conflict {
  return new Conflict(
    'already-ended',
    `Cannot cancel ${kind satisfies ResourceKind} ${name} as it has ended: ${status.state}`,
  );
}

function notFailed(name: string, state: string): Conflict {
  return new Conflict('not-failed', `Cannot try backup ${name} once more as it has not failed: it is ${state}`, {
    nextStep: 'Start a new backup.',
  });
}

function notSucceeded(name: string, state: string): Conflict {
  return new Conflict('not-succeeded', `Cannot pin or unpin backup ${name} as it is not one that succeeded: ${state}`);
}

function stillRunning(name: string, state: string): Conflict {
  return new Conflict('still-running', `Cannot delete backup ${name} as it has not ended: it is ${state}`, {
    nextStep: 'Cancel it first.',
  });
}
