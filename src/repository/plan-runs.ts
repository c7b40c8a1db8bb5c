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
    const first = extent.child(begin);
    if (first && first.frame !== ZERO) {
      const { place } = first.frame;
      if (!place) throw new RangeError('a block without a place');
      const ids = Buffer.allocUnsafe((end - begin) * ID_BYTES);
      for (let child = begin; child < end; child += 1) extent.child(child)?.id.copy(ids, (child - begin) * ID_BYTES);
      runs.push({
        segment: at.segmentNumber(place.segment),
        frameOffset: place.offset,
        frameLength: place.length,
        plainOffset: first.plainOffset,
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
    if (extent.child(child)?.frame === ZERO)
      bytes += Math.min(BLOCK_BYTES, at.size - (at.firstBlock + child) * BLOCK_BYTES);
  }
  return bytes;
}

/** Plain bytes of a run: the last block of a file may be short. */
export function runLength(run: PlannedRun, size: number): number {
  return Math.min((run.ids.length / ID_BYTES) * BLOCK_BYTES, size - run.firstBlock * BLOCK_BYTES);
}

function endOfRun(extent: Extent, begin: number): number {
  const first = extent.child(begin);
  let end = begin + 1;
  for (; end < extent.count; end += 1) {
    const child = extent.child(end);
    if (!first || child?.frame !== first.frame || child.plainOffset !== first.plainOffset + (end - begin) * BLOCK_BYTES)
      break;
  }
  return end;
}
