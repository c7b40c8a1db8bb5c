import { mapConcurrently } from '../lib/concurrently.ts';
import { CorruptData } from '../lib/failure.ts';
import { FrameReader } from './frame-reader.ts';
import type { FooterFrame } from './footer.ts';
import { dataPrefix, segmentOfKey } from './names.ts';
import type { Repository } from './repository.ts';
import { readFooter } from './segment-reader.ts';
import type { SegmentUse } from './segment-table.ts';
import { UploadedLeaves } from './uploaded-leaves.ts';

export interface Uploaded {
  readonly segments: ReadonlyMap<string, Pick<SegmentUse, 'size' | 'total'>>;
  readonly leaves: UploadedLeaves;
}

const FOOTERS_AT_ONCE = 8;

/** Finds what earlier attempts of this backup uploaded. A segment whose footer cannot be read is left alone. */
export async function readUploaded(repository: Repository, backup: string, signal: AbortSignal): Promise<Uploaded> {
  const leaves = new UploadedLeaves(new FrameReader({ ...repository, signal }), repository.cipher);
  const segments = new Map<string, Pick<SegmentUse, 'size' | 'total'>>();
  const found: { name: string; size: number }[] = [];
  for await (const { key, size } of repository.storage.list(dataPrefix(backup), { signal })) {
    const name = segmentOfKey(key);
    if (name !== undefined) found.push({ name, size });
  }
  await mapConcurrently(found, FOOTERS_AT_ONCE, async (segment) => {
    const frames = await footerOf(repository, segment, signal);
    if (!frames) return;
    leaves.addSegment(segment.name, frames);
    segments.set(segment.name, { size: segment.size, total: totalOf(frames) });
  });
  return { segments, leaves };
}

async function footerOf(
  repository: Repository,
  segment: { name: string; size: number },
  signal: AbortSignal,
): Promise<FooterFrame[] | undefined> {
  try {
    return await readFooter(segment, { ...repository, signal });
  } catch (error) {
    if (error instanceof CorruptData) return undefined;
    throw error;
  }
}

function totalOf(frames: readonly FooterFrame[]): number {
  return frames.reduce((sum, frame) => sum + (frame.kind === 'data' ? frame.plainLength : frame.bodyLength), 0);
}
