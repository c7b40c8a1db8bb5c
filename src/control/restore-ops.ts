import type { JobInput } from '../api/client.ts';
import type { Job } from '../api/jobs.ts';
import type { Resource } from '../api/resources.ts';
import { msOf } from '../lib/clock.ts';
import { InvalidRequest } from '../lib/failure.ts';
import type { ControlContext } from './context.ts';
import { change, find } from './find.ts';
import { managedLocation } from './location-text.ts';
import { agentNeed } from './needs.ts';
import type { RunOps } from './run-ops.ts';

/** Restores and drills: both read a backup, are tried once, and what they made is at their agent. */

export function restoreOps(context: ControlContext): RunOps<'Restore'> {
  const { catalog, launcher } = context;
  const calls = ({ spec }: Resource<'Restore'>) => launcher.agent(spec.agent);
  return {
    kind: 'Restore',
    ...triedOnce(),
    needs: async ({ spec }) => [await agentNeed(catalog, spec.agent, 'Restore')],
    plan: async ({ spec }) => {
      await restorable(context, spec.backup);
      return { agent: spec.agent, needs: [await agentNeed(catalog, spec.agent, 'Restore')], patch: {} };
    },
    start: async (restore, signal) => {
      const { spec, status } = restore;
      const target = 'directory' in spec.target ? { directory: spec.target.directory } : { inPlace: true as const };
      const body: JobInput<'restore'> = {
        attempt: status.attempt,
        ...(await sourceOf(context, spec)),
        target,
        identity: spec.identity,
        replication: spec.replication,
        ...(spec.acceptsMissingTables === true ? { acceptsMissingTables: true } : {}),
      };
      return calls(restore).start('restore', restore.uid, { body, signal });
    },
    get: async (restore, signal) => calls(restore).get('restore', restore.uid, { signal }),
    cancel: async (restore, signal) => calls(restore).cancel('restore', restore.uid, { signal }),
    confirm: async (_restore, job) => (job.kind === 'restore' ? { result: job.result } : {}),
  };
}

export function drillOps(context: ControlContext): RunOps<'Drill'> {
  const { catalog, launcher } = context;
  const calls = ({ spec }: Resource<'Drill'>) => launcher.agent(spec.agent);
  return {
    kind: 'Drill',
    ...triedOnce(),
    needs: async ({ spec }) => [await agentNeed(catalog, spec.agent, 'Drill')],
    plan: async ({ spec }) => {
      await restorable(context, spec.backup);
      return { agent: spec.agent, needs: [await agentNeed(catalog, spec.agent, 'Drill')], patch: {} };
    },
    start: async (drill, signal) => {
      const { spec, status } = drill;
      const { depth, withChecksums } = spec;
      const body: JobInput<'drill'> = {
        attempt: status.attempt,
        ...(await sourceOf(context, spec)),
        depth,
        withChecksums,
      };
      return calls(drill).start('drill', drill.uid, { body, signal });
    },
    get: async (drill, signal) => calls(drill).get('drill', drill.uid, { signal }),
    cancel: async (drill, signal) => calls(drill).cancel('drill', drill.uid, { signal }),
    confirm: async (drill, job) => {
      if (job.kind !== 'drill') return {};
      await raiseProof(context, drill, job);
      return { result: job.result };
    },
  };
}

function triedOnce() {
  return {
    isEndWanted: ({ spec }: Resource<'Restore'> | Resource<'Drill'>): boolean => spec.isCancelled,
    isRetryAsked: (): boolean => false,
    retry: () => ({ policy: undefined, taken: 0 }),
    agentOf: ({ spec }: Resource<'Restore'> | Resource<'Drill'>): string => spec.agent,
    rescue: async () => undefined,
    giveUp: async () => undefined,
  };
}

/** @throws InvalidRequest `backup-not-restorable` */
export async function restorable(
  { catalog }: Pick<ControlContext, 'catalog'>,
  name: string,
): Promise<Resource<'Backup'>> {
  const backup = await find(catalog, 'Backup', name);
  const { state, result } = backup.status;
  // What could not be deleted is still there.
  if (state === 'Succeeded' || (state === 'DeleteFailed' && result !== undefined)) return backup;
  throw new InvalidRequest(
    'backup-not-restorable',
    `Cannot restore backup ${name} as it is not one that succeeded: it is ${state}`,
    { nextStep: 'Choose a backup that succeeded.' },
  );
}

async function sourceOf(
  { catalog, secrets }: ControlContext,
  { backup: name, memoryBytes }: { readonly backup: string; readonly memoryBytes?: number | undefined },
) {
  const { spec, status } = await find(catalog, 'Backup', name);
  const location = await find(catalog, 'StorageLocation', spec.location);
  return {
    backup: status.id,
    location: managedLocation(location, await secrets.get('StorageLocation', location.name)),
    ...(spec.folder === undefined ? {} : { folder: spec.folder }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
  };
}

/** What is known of the backup now; a newer proof stays. The note in its repository is the agent's. */
async function raiseProof(
  { catalog }: ControlContext,
  { spec }: Resource<'Drill'>,
  job: Extract<Job, { kind: 'drill' }>,
) {
  const at = job.endedAt ?? job.updatedAt;
  if ((await catalog.get('Backup', spec.backup)) === undefined) return;
  await change(catalog, { kind: 'Backup', name: spec.backup }, (backup) => {
    const { proof } = backup.status;
    if (proof?.level === 'proven' && msOf(proof.at) >= msOf(at)) return undefined;
    const steps = job.result === undefined ? {} : { steps: job.result.steps };
    return { spec: backup.spec, status: { ...backup.status, proof: { level: 'proven', at, ...steps } } };
  });
}
