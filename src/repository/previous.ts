import { CorruptData } from '../lib/failure.ts';
import { ObjectNotFound } from '../storage/storage.ts';
import { missingSegments } from './before-sealing.ts';
import { IndexReader } from './index-reader.ts';
import type { SegmentUse } from './segment-table.ts';
import { backupOfKey, SEALS } from './names.ts';
import type { Repository } from './repository.ts';
import { isDeleted, readSettlement } from './settle.ts';
import type { Sealed } from './documents.ts';

export interface PreviousRequest {
  readonly lineage: string;
  /** The backup being made: only what began before it counts. */
  readonly before: string;
  readonly signal: AbortSignal;
}

export interface PreviousBackup {
  readonly sealed: Sealed;
  readonly index: IndexReader;
  /** What may be leaned on: the segments of its table that are there. */
  readonly table: ReadonlyMap<string, SegmentUse>;
}

/** Opens what `findPrevious` finds. One that is damaged is leaned on not at all: a new backup must not fail because of it. */
export async function openPrevious(
  repository: Repository,
  request: PreviousRequest,
): Promise<PreviousBackup | undefined> {
  const { signal } = request;
  const sealed = await findPrevious(repository, request);
  if (!sealed) return undefined;
  try {
    const index = await IndexReader.open(sealed, { ...repository, signal });
    const uses = await index.segments();
    const missing = new Set((await missingSegments(repository, uses, signal)).map(({ name }) => name));
    return {
      sealed,
      index,
      table: new Map(uses.filter(({ name }) => !missing.has(name)).map((use) => [use.name, use])),
    };
  } catch (error) {
    if (error instanceof CorruptData || error instanceof ObjectNotFound) return undefined;
    throw error;
  }
}

/** Seals that are looked at together: where none is of the lineage, all of the repository's are. */
const AT_ONCE = 16;

/** The newest sealed, undeleted backup of the same lineage, or undefined. Asks the objects themselves: lists may lag. */
export async function findPrevious(
  repository: Repository,
  { lineage, before, signal }: PreviousRequest,
): Promise<Sealed | undefined> {
  const ids: string[] = [];
  for await (const { key } of repository.storage.list(SEALS, { signal })) {
    const id = backupOfKey(key, SEALS);
    if (id !== undefined && id < before) ids.push(id);
  }
  const newestFirst = ids.toReversed();
  // The newest is most often the one.
  for (let [from, to] = [0, 1]; from < newestFirst.length; [from, to] = [to, to + AT_ONCE]) {
    const some = newestFirst.slice(from, to).map(async (id) => sealedAndThere(repository, id, signal));
    const found = (await Promise.all(some)).find((sealed) => sealed?.source.lineage === lineage);
    if (found) return found;
  }
  return undefined;
}

/** One whose seal or mark is damaged is left alone. */
async function sealedAndThere(
  repository: Repository,
  backup: string,
  signal: AbortSignal,
): Promise<Sealed | undefined> {
  try {
    const settlement = await readSettlement(repository, backup, signal);
    if (settlement?.state !== 'sealed') return undefined;
    return (await isDeleted(repository, backup, signal)) ? undefined : settlement;
  } catch (error) {
    if (error instanceof CorruptData) return undefined;
    throw error;
  }
}
