import { hash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { neverAborted as signal, nextBackupId, smallTuning } from '../../tests/support/repositories.ts';
import { randomSource, someBytes } from '../../tests/support/pieces.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { openCipher } from './cipher.ts';
import { BLOCK_BYTES } from './extent.ts';
import type { BlockRun } from './footer.ts';
import { CODEC } from './frame.ts';
import { newAttemptId, parseBackupId, segmentKey, segmentName, segmentOfKey } from './names.ts';
import { OpenSegment } from './open-segment.ts';
import { readFooter } from './segment-reader.ts';
import { SegmentWriter } from './segment-writer.ts';

const attempt = { backup: parseBackupId(nextBackupId()), attempt: newAttemptId() };
const SEGMENT_BYTES = 16 << 20;

/** A path of so many bytes that nothing can compress. */
function pathOf(number: number, bytes: number): string {
  return hash('shake256', `${number}`, { outputLength: 256 }).slice(0, bytes);
}

/** The runs in the footers of all segments, by path: blocks and bytes. Throws where a footer does not read back. */
async function footersOf(storage: MemoryStorage): Promise<Map<string, { blocks: number; bytes: number }>> {
  const found = new Map<string, { blocks: number; bytes: number }>();
  for await (const { key, size } of storage.list('')) {
    const frames = await readFooter({ name: segmentOfKey(key) ?? '', size }, { storage, cipher: openCipher, signal });
    for (const frame of frames) {
      for (const run of frame.kind === 'data' ? frame.runs : []) {
        const before = found.get(run.path);
        found.set(run.path, {
          blocks: run.count + (before?.blocks ?? 0),
          bytes: run.bytes + (before?.bytes ?? 0),
        });
      }
    }
  }
  return found;
}

const shapes = fc.record({
  pathBytes: fc.oneof(fc.integer({ min: 8, max: 64 }), fc.integer({ min: 8, max: 511 })),
  fileBytes: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 3 * BLOCK_BYTES })),
  /** Written together, block by block in turn. */
  atOnce: fc.integer({ min: 1, max: 5 }),
  bytes: fc.integer({ min: 1, max: 2 << 20 }),
});

/** The blocks of the files, some of which are written together: a block of each in turn. */
function* inTurn({ files, fileBytes, atOnce }: { files: number; fileBytes: number; atOnce: number }) {
  for (let first = 0; first < files; first += atOnce) {
    for (let block = 0; block * BLOCK_BYTES < fileBytes; block += 1) {
      for (let file = first; file < Math.min(files, first + atOnce); file += 1) yield { file, block };
    }
  }
}

test('whatever the names and sizes of files, every footer reads back and tells of all blocks', async () => {
  const bytes = someBytes(randomSource(1), BLOCK_BYTES);
  const property = fc.asyncProperty(shapes, async ({ pathBytes, fileBytes, atOnce, bytes: total }) => {
    const storage = new MemoryStorage();
    using writer = new SegmentWriter({
      ...smallTuning,
      storage,
      cipher: openCipher,
      attempt,
      compressor: {
        compress: async (plain) => Promise.resolve({ codec: CODEC.raw, body: plain, release: () => undefined }),
      },
      signal,
      onPlaced: async () => Promise.resolve(),
      onFailure: () => undefined,
    });
    const files = Math.min(6000, Math.ceil(total / fileBytes));
    for (const { file, block } of inTurn({ files, fileBytes, atOnce })) {
      if (!writer.hasRoom) await writer.makeRoom();
      const part = bytes.subarray(0, Math.min(BLOCK_BYTES, fileBytes - block * BLOCK_BYTES));
      writer.addBlock(part, { path: pathOf(file, pathBytes), block });
    }
    await writer.finish();
    const found = await footersOf(storage);
    expect(found.size).toBe(files);
    const each = { blocks: Math.ceil(fileBytes / BLOCK_BYTES), bytes: fileBytes };
    for (const file of found.values()) expect(file).toEqual(each);
  });
  await fc.assert(property, { numRuns: 20 });
}, 120_000);

describe('a segment of full size', () => {
  async function expectReadable(open: OpenSegment): Promise<number> {
    const { name, bytes } = open.close();
    const storage = new MemoryStorage();
    await storage.put(segmentKey(name), bytes);
    return (await footersOf(storage)).size;
  }

  function openSegment(): OpenSegment {
    return new OpenSegment(segmentName(attempt, 1), Buffer.alloc(SEGMENT_BYTES), openCipher);
  }

  function smallFiles(first: number, count: number, pathBytes: number): BlockRun[] {
    return Array.from({ length: count }, (_, at) => ({
      path: pathOf(first + at, pathBytes),
      firstBlock: 0,
      count: 1,
      bytes: 1024,
    }));
  }

  /** Adds frames while there is room. @returns how many files are in it */
  function fill(open: OpenSegment, frame: { bodyBytes: number; files: number; pathBytes: number }): number {
    const body = Buffer.alloc(frame.bodyBytes);
    for (let first = 0; ; first += frame.files) {
      const runs = smallFiles(first, frame.files, frame.pathBytes);
      if (!open.hasRoom(body.length, runs)) return first;
      open.addData({ codec: CODEC.zstd, body }, frame.files * 1024, runs);
    }
  }

  test('holds its footer, however many new names its last frame brings', async () => {
    // Most of the segment is a large table; then come small files, until there is no more room.
    for (let left = 30_000; left < 60_000; left += 1_500) {
      const open = openSegment();
      const runs = [{ path: 'shop/big.ibd', firstBlock: 0, count: 64, bytes: 1 << 20 }];
      const body = Buffer.alloc(1 << 20);
      for (let frame = 0; frame < 15; frame += 1) open.addData({ codec: CODEC.raw, body }, body.length, runs);
      const rest = body.subarray(0, body.length - left);
      open.addData({ codec: CODEC.zstd, body: rest }, body.length, runs);
      const files = fill(open, { bodyBytes: 4000, files: 1008, pathBytes: 80 });
      expect(await expectReadable(open)).toBe(files + 1);
    }
  }, 60_000);

  test('is closed before its footer has more than 4 MiB', async () => {
    const open = openSegment();
    const files = fill(open, { bodyBytes: 200_000, files: 1008, pathBytes: 160 });
    expect(files).toBeGreaterThan(20_000);
    expect(await expectReadable(open)).toBe(files);
  });
});
