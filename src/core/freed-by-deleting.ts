import { mapConcurrently } from '../lib/concurrently.ts';
import type { Sealed } from '../repository/documents.ts';
import { IndexReader } from '../repository/index-reader.ts';
import { dataPrefix, parseSegmentName, segmentKey, segmentOfKey } from '../repository/names.ts';
import type { Repository } from '../repository/repository.ts';

export interface FreedRequest {
  /** Every sealed, undeleted backup. */
  readonly sealed: readonly Sealed[];
  /** Ids of those that would be deleted. */
  readonly deleted: ReadonlySet<string>;
  readonly signal: AbortSignal;
}

/** What a collection removes, and what it leaves as others need it, once some backups are deleted. */
export interface Freed {
  readonly freedBytes: number;
  /** Of the deleted backups' own objects. */
  readonly keptBytes: number;
  /** Ids of the backups that need those. */
  readonly usedBy: readonly string[];
}

/** Bytes that a collection removes once these backups are deleted and their 24 hours are over. Changes nothing. */
export async function bytesFreedByDeleting(repository: Repository, request: FreedRequest): Promise<number> {
  return (await freedByDeleting(repository, request)).freedBytes;
}

/**
 * What a collection removes once these backups are deleted and their 24 hours are over: their objects, and segments of
 * backups deleted earlier that only these ones still need. Changes nothing.
 */
export async function freedByDeleting(
  repository: Repository,
  { sealed, deleted, signal }: FreedRequest,
): Promise<Freed> {
  const kept = new Set(sealed.filter(({ backup }) => !deleted.has(backup)).map(({ backup }) => backup));
  const needed = new Set<string>();
  const usedBy = new Set<string>();
  const sizes = new Map<string, number>();
  await mapConcurrently(sealed, 4, async (each) => {
    const index = await IndexReader.open(each, { ...repository, signal });
    for (const use of await index.segments()) {
      if (kept.has(each.backup)) needed.add(use.name);
      else sizes.set(segmentKey(use.name), use.size);
      if (kept.has(each.backup) && deleted.has(parseSegmentName(use.name)?.backup ?? '')) usedBy.add(each.backup);
    }
  });
  for (const id of deleted) {
    for await (const { key, size } of repository.storage.list(dataPrefix(id), { signal })) sizes.set(key, size);
  }
  const ownerOf = (key: string): string => parseSegmentName(segmentOfKey(key) ?? '')?.backup ?? '';
  const isFreed = (key: string): boolean => {
    const segment = segmentOfKey(key);
    return segment === undefined || !(needed.has(segment) || kept.has(ownerOf(key)));
  };
  const all = [...sizes];
  const freed = all.filter(([key]) => isFreed(key));
  const left = all.filter(([key]) => !isFreed(key) && deleted.has(ownerOf(key)));
  return { freedBytes: sum(freed), keptBytes: sum(left), usedBy: [...usedBy].toSorted() };
}

function sum(sizes: readonly (readonly [string, number])[]): number {
  return sizes.reduce((total, [, size]) => total + size, 0);
}
