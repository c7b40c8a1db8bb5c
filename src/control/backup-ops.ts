import type { JobInput } from '../api/client.ts';
import type { Resource } from '../api/resources.ts';
import { InvalidRequest } from '../lib/failure.ts';
import type { Sealed } from '../repository/documents.ts';
import { isDeleted, readSettlement, voidBackup } from '../repository/settle.ts';
import type { Repository } from '../repository/repository.ts';
import type { ControlContext } from './context.ts';
import { find } from './find.ts';
import { managedLocation } from './location-text.ts';
import { agentNeed, folderNeed } from './needs.ts';
import { NotGood } from './not-good.ts';
import type { RunOps, StatusPatch } from './run-ops.ts';

type Backup = Resource<'Backup'>;

/** A repository is asked for so long only: the agent's own word comes later if need be. */
const LOOK_MS = 60_000;

export function backupOps(context: ControlContext): RunOps<'Backup'> {
  const { catalog, launcher, repositories } = context;
  const calls = (backup: Backup) => launcher.agent(agentOf(backup));
  const look = async <T>(
    backup: Backup,
    signal: AbortSignal,
    work: (repository: Repository, signal: AbortSignal) => Promise<T>,
  ) => repositories.use(backup.spec, { signal, limitMs: LOOK_MS }, work);
  return {
    kind: 'Backup',
    isEndWanted: ({ spec }) => spec.isCancelled || spec.isDeleted,
    isRetryAsked: ({ spec, status }) => spec.retriesAsked > status.retriesTaken,
    retry: ({ spec, status }) => ({ policy: spec.retry, taken: status.retriesTaken }),
    agentOf,
    needs: async (backup) => [await agentNeed(catalog, agentOf(backup), 'Backup'), folderNeed(backup.spec)],
    plan: async ({ spec }) => {
      const service = await find(catalog, 'Service', spec.service);
      await find(catalog, 'StorageLocation', spec.location);
      const { agent } = service.spec;
      const technology = service.status.vendor;
      return {
        agent,
        needs: [await agentNeed(catalog, agent, 'Backup'), folderNeed(spec)],
        // Asked for several times before it began, it is still one attempt.
        patch: { agent, retriesTaken: spec.retriesAsked, ...(technology === undefined ? {} : { technology }) },
      };
    },
    start: async (backup, signal) =>
      calls(backup).start('backup', backup.status.id, { body: await bodyOf(context, backup), signal }),
    get: async (backup, signal) => calls(backup).get('backup', backup.status.id, { signal }),
    cancel: async (backup, signal) => calls(backup).cancel('backup', backup.status.id, { signal }),
    confirm: async (backup, _job, signal) =>
      look(backup, signal, async (repository) => confirmed(repository, backup, signal)),
    rescue: async (backup, signal) => look(backup, signal, async (repository) => rescued(repository, backup, signal)),
    giveUp: async (backup, signal) =>
      look(backup, signal, async (repository) => {
        try {
          await voidBackup(repository, backup.status.id, { reason: 'it was cancelled', signal });
          return undefined;
        } catch (error) {
          // Whoever settled it first has settled it.
          const settlement = await readSettlement(repository, backup.status.id, signal);
          if (settlement === undefined) throw error;
          return settlement.state === 'sealed' ? patchOf(settlement) : undefined;
        }
      }),
  };
}

function agentOf({ name, status }: Backup): string {
  if (status.agent !== undefined) return status.agent;
  throw new InvalidRequest('no-such-agent', `Cannot tell the agent of backup ${name} as no attempt has begun`);
}

async function bodyOf(
  { catalog, secrets }: ControlContext,
  { name, spec, status }: Backup,
): Promise<JobInput<'backup'>> {
  const location = await find(catalog, 'StorageLocation', spec.location);
  const { service, schedule, folder, compression, parallel, lockedStallSeconds } = spec;
  return {
    attempt: status.attempt,
    name,
    service,
    location: managedLocation(location, await secrets.get('StorageLocation', location.name)),
    compression,
    lockedStallSeconds,
    ...(schedule === undefined ? {} : { schedule }),
    ...(folder === undefined ? {} : { folder }),
    ...(parallel === undefined ? {} : { parallel }),
  };
}

async function confirmed(repository: Repository, backup: Backup, signal: AbortSignal): Promise<StatusPatch> {
  const { id } = backup.status;
  const settlement = await readSettlement(repository, id, signal);
  const about = `Cannot call backup ${backup.name} succeeded`;
  if (settlement === undefined)
    throw new NotGood('not-sealed', `${about} as its repository holds no seal of it, whatever its agent says: ${id}`, {
      isFinal: false,
      nextStep: 'Check that the agent and the manager reach the same storage location.',
    });
  if (settlement.state === 'void' || (await isDeleted(repository, id, signal)))
    throw new NotGood('given-up', `${about} as it was given up or deleted in its repository: ${id}`, {
      isFinal: true,
      nextStep: 'Start a new backup.',
    });
  return patchOf(settlement);
}

async function rescued(
  repository: Repository,
  { status }: Backup,
  signal: AbortSignal,
): Promise<StatusPatch | undefined> {
  const settlement = await readSettlement(repository, status.id, signal);
  if (settlement?.state !== 'sealed' || (await isDeleted(repository, status.id, signal))) return undefined;
  return patchOf(settlement);
}

function patchOf(sealed: Sealed): StatusPatch {
  return {
    result: sealed,
    technology: sealed.source.vendor,
    proof: { level: 'sealed', at: sealed.sealedAt },
  };
}
