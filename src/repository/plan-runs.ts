import { ID_BYTES } from './cipher.ts';
import { BLOCK_BYTES, type Extent, ZERO } from './extent.ts';
import type { PlannedRun } from './restore-plan.ts';

/**
 * Cuts a leaf into runs of blocks that are neighbours in file and frame. Blocks of zeros are left out, and nothing else:
 * throws RangeError for a block that has no place.
 */
export function runsOfLeaf(
  extent: Extent,
  at: { readonly file: number; readonly firstBlock: number; readonly segmentNumber: (name: string) => number },
): PlannedRun[] {
  const runs: PlannedRun[] = [];
  let begin = 0;
  while (begin < extent.count) {
    const end = endOfRun(extent, begin);
    const frame = extent.frames[begin];
    if (frame && frame !== ZERO) {
      const { place } = frame;
      if (!place) throw new RangeError('a block without a place');
      const ids = Buffer.allocUnsafe((end - begin) * ID_BYTES);
      for (let child = begin; child < end; child += 1) extent.id(child).copy(ids, (child - begin) * ID_BYTES);
      runs.push({
        segment: at.segmentNumber(place.segment),
        frameOffset: place.offset,
        frameLength: place.length,
        plainOffset: extent.plainOffset(begin),
        file: at.file,
        firstBlock: at.firstBlock + begin,
        ids,
      });
    }
    begin = end;
  }
  return runs;
}

/** Plain bytes of a leaf's blocks of zeros: no run brings them. */
export function zeroBytes(extent: Extent, at: { readonly firstBlock: number; readonly size: number }): number {
  let bytes = 0;
  for (let child = 0; child < extent.count; child += 1) {
    if (extent.frames[child] === ZERO) bytes += Math.min(BLOCK_BYTES, at.size - (at.firstBlock + child) * BLOCK_BYTES);
  }
  return bytes;
}

/** Plain bytes of a run: the last block of a file may be short. */
export function runLength(run: PlannedRun, size: number): number {
  return Math.min((run.ids.length / ID_BYTES) * BLOCK_BYTES, size - run.firstBlock * BLOCK_BYTES);
}

function endOfRun(extent: Extent, begin: number): number {
  const [frame, plainOffset] = [extent.frames[begin], extent.plainOffset(begin)];
  let end = begin + 1;
  while (
    end < extent.count &&
    extent.frames[end] === frame &&
    extent.plainOffset(end) === plainOffset + (end - begin) * BLOCK_BYTES
  )
    end += 1;
  return end;
}
