import { describeFailure } from '../api/describe-failure.ts';
import type { Resource } from '../api/resources.ts';
import { isPinned } from '../core/proof.ts';
import { isoTime, msOf } from '../lib/clock.ts';
import { Conflict, Failure, isPermanent } from '../lib/failure.ts';
import { addNote, readNotes } from '../repository/notes.ts';
import type { Repository } from '../repository/repository.ts';
import { markDeleted, readSettlement, voidBackup } from '../repository/settle.ts';
import { Collector } from './collector.ts';
import type { ControlContext } from './context.ts';
import { deleted, failDeleting, startDeleting } from './run-states.ts';
import { Silence } from './silence.ts';

type Backup = Resource<'Backup'>;

/** The record of a deleted backup stays as long as its data. */
const KEEP_RECORD_MS = 24 * 3_600_000;
const LOOK_MS = 120_000;
const RETRY_MS = 5_000;
const LATER_MS = 3_600_000;
/** How long a store may be silent until a deletion has failed. */
const DELETE_LIMIT_MS = 600_000;

/** What becomes of backups after their end: pinned, deleted, and the record removed when their data is gone. */
export class BackupCare {
  readonly #context: ControlContext;
  readonly #collector: Collector;
  readonly #silence: Silence;

  constructor(context: ControlContext) {
    this.#context = context;
    this.#collector = new Collector(context.repositories, context.clock);
    this.#silence = new Silence(context.clock, DELETE_LIMIT_MS);
  }

  /** @returns after how many milliseconds to come again */
  async reconcile(found: Backup, signal: AbortSignal): Promise<number | undefined> {
    const { spec, status } = found;
    if (status.state === 'Deleting') return this.#delete(found, signal);
    if (status.state === 'Deleted') return this.#removeRecord(found, signal);
    if (spec.isDeleted && status.state !== 'DeleteFailed') {
      const begun = await this.#save(found, startDeleting(status));
      return this.#delete(begun, signal);
    }
    if (status.result !== undefined && spec.isPinned !== status.isPinned) await this.#pin(found, signal);
    return undefined;
  }

  async #pin(found: Backup, signal: AbortSignal): Promise<void> {
    const { spec, status } = found;
    await this.#context.repositories.use(spec, { signal, limitMs: LOOK_MS }, async (repository, limited) => {
      // Written already, perhaps, right before a crash.
      if (isPinned(await readNotes(repository, status.id, limited)) === spec.isPinned) return;
      const kind = spec.isPinned ? 'pinned' : 'unpinned';
      await addNote(repository, status.id, { note: { kind, reason: 'asked for by a person' }, signal: limited });
    });
    await this.#save(found, { ...status, isPinned: spec.isPinned });
  }

  async #delete(found: Backup, signal: AbortSignal): Promise<number | undefined> {
    const { name, spec, status } = found;
    try {
      if (spec.isPinned) throw pinned(name);
      if (status.attempt > 0 || status.result !== undefined)
        await this.#context.repositories.use(spec, { signal, limitMs: LOOK_MS }, async (repository, limited) =>
          hide(repository, found, limited),
        );
    } catch (error) {
      signal.throwIfAborted();
      if (!isNothingThere(found, error)) return this.#notDeleted(found, error);
    }
    this.#silence.end(name);
    await this.#save(found, deleted(status, isoTime(this.#context.clock.now())));
    return KEEP_RECORD_MS;
  }

  async #notDeleted(found: Backup, error: unknown): Promise<number | undefined> {
    const { name, spec, status } = found;
    if (!isPermanent(error) && !this.#silence.isTooLong(name)) {
      this.#context.onTrouble(`Backup ${name} cannot be deleted yet`, error);
      const words = `Its storage location does not answer: ${error instanceof Error ? error.message : String(error)}`;
      if (status.waitingFor.length === 0) await this.#save(found, { ...status, waitingFor: [words] });
      return RETRY_MS;
    }
    this.#silence.end(name);
    const failed = failDeleting(status, describeFailure(error));
    // Pinned in its repository by somebody else: that counts, and can be taken back here.
    const isPinnedThere = error instanceof Failure && error.code === 'pinned' && !spec.isPinned;
    if (!isPinnedThere) await this.#save(found, failed);
    else
      await this.#context.catalog.replace({
        ...found,
        spec: { ...spec, isPinned: true },
        status: { ...failed, isPinned: true },
      });
    return undefined;
  }

  async #removeRecord(found: Backup, signal: AbortSignal): Promise<number | undefined> {
    const { spec, status } = found;
    const { clock, catalog, onTrouble } = this.#context;
    const dueAt = msOf(status.deletedAt ?? found.createdAt) + KEEP_RECORD_MS;
    if (clock.now() < dueAt) return dueAt - clock.now();
    try {
      const hasData = status.attempt > 0 || status.result !== undefined;
      const reason = hasData ? await this.#collector.collect(spec, { id: status.id, dueAt, signal }) : undefined;
      if (reason !== undefined) return LATER_MS;
    } catch (error) {
      signal.throwIfAborted();
      if (!isNothingThere(found, error) && !isGone(error)) {
        onTrouble(`The data of deleted backup ${found.name} cannot be removed yet`, error);
        return LATER_MS;
      }
    }
    await catalog.remove(found);
    return undefined;
  }

  async #save(found: Backup, status: Backup['status']): Promise<Backup> {
    return this.#context.catalog.replace({ ...found, status });
  }
}

/** From now on no list shows it and no new backup leans on it; its data goes with the first collection a day later. */
async function hide(repository: Repository, { name, status }: Backup, signal: AbortSignal): Promise<void> {
  const { id } = status;
  if (isPinned(await readNotes(repository, id, signal))) throw pinned(name);
  if ((await readSettlement(repository, id, signal)) === undefined) await giveUp(repository, id, signal);
  await markDeleted(repository, id, { reason: 'asked for by a person', signal });
}

/** A writer that was believed dead must not seal it later. */
async function giveUp(repository: Repository, id: string, signal: AbortSignal): Promise<void> {
  try {
    await voidBackup(repository, id, { reason: 'it was deleted', signal });
  } catch (error) {
    // The mark of deletion hides it, too, should it have been sealed in this moment.
    if (!(error instanceof Conflict) || error.code !== 'already-settled') throw error;
  }
}

/** Of what never became a backup nothing need be deleted where nothing is. */
function isNothingThere({ status }: Backup, error: unknown): boolean {
  if (!(error instanceof Failure) || status.result !== undefined) return false;
  // A folder that was never made looks like one on a disk that is not mounted; what lies there is given up in a week.
  return ['not-a-repository', 'no-such-location', 'storage-missing'].includes(error.code);
}

export function pinned(name: string): Conflict {
  return new Conflict('pinned', `Cannot delete backup ${name} as it is pinned`, {
    nextStep: 'Unpin it first, if it is not needed any more.',
  });
}

/** Its repository was removed, or its location after all. */
function isGone(error: unknown): boolean {
  return error instanceof Failure && (error.code === 'not-a-repository' || error.code === 'no-such-location');
}
