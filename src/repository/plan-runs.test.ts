import { expect, test } from 'vitest';
import { BLOCK_BYTES, Extent, type FrameHandle, ZERO, ZERO_ID } from './extent.ts';
import { runLength, runsOfLeaf, zeroBytes } from './plan-runs.ts';

const segment = '20261121T010000Z-0123abcd/0123abcd-000001';
const placed: FrameHandle = { place: { segment, offset: 64, length: 100 } };
const at = { file: 0, firstBlock: 256, segmentNumber: () => 3 };

/** A leaf of these frames, each block behind the one before it. */
function leafOf(frames: readonly FrameHandle[]): Extent {
  const extent = new Extent(1);
  for (const [index, frame] of frames.entries())
    extent.add({ id: frame === ZERO ? ZERO_ID : Buffer.alloc(32, 1 + index), frame, plainOffset: index * BLOCK_BYTES });
  return extent;
}

test('runs and zeros together have every byte of a leaf, short last block or not', () => {
  const leaf = leafOf([placed, placed, ZERO, placed, ZERO]);
  for (const lastBytes of [1, 700, BLOCK_BYTES]) {
    const size = (at.firstBlock + 4) * BLOCK_BYTES + lastBytes;
    const runs = runsOfLeaf(leaf, at);
    expect(runs.map(({ firstBlock, ids }) => [firstBlock, ids.length / 32])).toEqual([
      [256, 2],
      [259, 1],
    ]);
    expect(runs.reduce((sum, run) => sum + runLength(run, size), 0)).toBe(3 * BLOCK_BYTES);
    expect(zeroBytes(leaf, { firstBlock: 256, size })).toBe(BLOCK_BYTES + lastBytes);
  }
});

test('a block that has no place and is no block of zeros is refused, not left out', () => {
  expect(() => runsOfLeaf(leafOf([placed, { place: undefined }]), at)).toThrow('a block without a place');
});
