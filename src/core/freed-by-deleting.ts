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

/**
 * Bytes that a collection removes once these backups are deleted and their 24 hours are over: their objects, and segments of
 * backups deleted earlier that only these ones still need. Changes nothing.
 */
export async function bytesFreedByDeleting(
  repository: Repository,
  { sealed, deleted, signal }: FreedRequest,
): Promise<number> {
  const kept = new Set(sealed.filter(({ backup }) => !deleted.has(backup)).map(({ backup }) => backup));
  const needed = new Set<string>();
  const sizes = new Map<string, number>();
  await mapConcurrently(sealed, 4, async (each) => {
    const index = await IndexReader.open(each, { ...repository, signal });
    for (const use of await index.segments()) {
      if (kept.has(each.backup)) needed.add(use.name);
      else sizes.set(segmentKey(use.name), use.size);
    }
  });
  for (const id of deleted) {
    for await (const { key, size } of repository.storage.list(dataPrefix(id), { signal })) sizes.set(key, size);
  }
  const isFreed = (key: string): boolean => {
    const segment = segmentOfKey(key);
    return segment === undefined || !(needed.has(segment) || kept.has(parseSegmentName(segment)?.backup ?? ''));
  };
  return [...sizes].filter(([key]) => isFreed(key)).reduce((sum, [, size]) => sum + size, 0);
}
