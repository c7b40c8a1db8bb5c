import { mapConcurrently } from '../lib/concurrently.ts';
import { CorruptData, Failure } from '../lib/failure.ts';
import { ObjectNotFound } from '../storage/storage.ts';
import type { Sealed } from './documents.ts';
import { TRAILER_BYTES } from './footer.ts';
import { IndexReader } from './index-reader.ts';
import { dataPrefix, parseSegmentName, segmentKey, segmentOfKey } from './names.ts';
import type { Repository } from './repository.ts';
import type { SegmentUse } from './segment-table.ts';
import { walkFile } from './walk.ts';

/** Most files have few nodes: one after the other, each would wait for its own. */
const FILES_AT_ONCE = 4;

/** Reads the index back from the store: the list of files, the table, and every node that this attempt wrote. */
export async function verifyWritten(repository: Repository, sealed: Sealed, signal: AbortSignal): Promise<void> {
  const index = await IndexReader.open(sealed, { ...repository, signal });
  const isOwn = ownSegments(sealed.backup);
  let files = 0;
  let bytes = 0;
  await mapConcurrently(index.files(), FILES_AT_ONCE, async (file) => {
    files += 1;
    bytes += file.size;
    const own = walkFile(index, file, { isWanted: ({ frame }) => isOwn(frame.place?.segment) });
    for await (const leaf of own) void leaf;
  });
  if (files !== sealed.files || bytes !== sealed.logicalBytes) {
    throw new CorruptData(
      'index-differs',
      `Cannot seal backup ${sealed.backup} as its index reads back ${files} files of ${bytes} bytes, not ${sealed.files} of ${sealed.logicalBytes}`,
    );
  }
  await index.segments();
}

/** Every segment that the backup refers to must be there at its size. */
export async function verifySegments(
  repository: Repository,
  segments: Iterable<SegmentUse>,
  signal: AbortSignal,
): Promise<void> {
  for (const { name, size } of await missingSegments(repository, segments, signal)) {
    throw new Failure(
      'segment-gone',
      `Cannot use the backup as ${segmentKey(name)} is not there with its ${size} bytes`,
      {
        nextStep: 'The next attempt uploads its blocks again and keeps the rest of what this one uploaded.',
      },
    );
  }
}

/** Those that are not there at their size. Lists may lag, so what they lack is asked for itself. */
export async function missingSegments(
  repository: Repository,
  segments: Iterable<SegmentUse>,
  signal: AbortSignal,
): Promise<SegmentUse[]> {
  const listed = new Map<string, number>();
  const backups = new Set<string>();
  for (const { name } of segments) {
    const backup = parseSegmentName(name)?.backup;
    if (backup !== undefined) backups.add(backup);
  }
  for (const backup of backups) {
    for await (const { key, size } of repository.storage.list(dataPrefix(backup), { signal })) {
      const name = segmentOfKey(key);
      if (name !== undefined) listed.set(name, size);
    }
  }
  const doubtful: SegmentUse[] = [];
  for (const segment of segments) if (listed.get(segment.name) !== segment.size) doubtful.push(segment);
  const missing: SegmentUse[] = [];
  await mapConcurrently(doubtful, 8, async (segment) => {
    if (!(await isThere(repository, segment, signal))) missing.push(segment);
  });
  return missing;
}

async function isThere(repository: Repository, { name, size }: SegmentUse, signal: AbortSignal): Promise<boolean> {
  const range = { start: Math.max(0, size - TRAILER_BYTES), end: size + 1 };
  try {
    const tail = await repository.storage.get(segmentKey(name), { range, signal });
    return tail.length === TRAILER_BYTES;
  } catch (cause) {
    if (cause instanceof ObjectNotFound) return false;
    throw cause;
  }
}

/** Tells the segments that this backup wrote. Nodes that follow each other mostly lie in the same one, so the last answer is kept. */
function ownSegments(backup: string): (segment: string | undefined) => boolean {
  let last: string | undefined;
  let isOwn = false;
  return (segment) => {
    if (segment === last) return isOwn;
    last = segment;
    isOwn = segment !== undefined && parseSegmentName(segment)?.backup === backup;
    return isOwn;
  };
}
