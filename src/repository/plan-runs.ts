import { ID_BYTES } from './cipher.ts';
import { BLOCK_BYTES, type Extent, ZERO } from './extent.ts';
import type { PlannedRun } from './restore-plan.ts';

/** Cuts a leaf into runs of blocks that are neighbours in file and frame. Blocks of zeros are left out. */
export function runsOfLeaf(
  extent: Extent,
  at: { readonly file: number; readonly firstBlock: number; readonly segmentNumber: (name: string) => number },
): PlannedRun[] {
  const runs: PlannedRun[] = [];
  let begin = 0;
  while (begin < extent.count) {
    const end = endOfRun(extent, begin);
    const first = extent.child(begin);
    const place = first?.frame.place;
    if (first && place && first.frame !== ZERO) {
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
