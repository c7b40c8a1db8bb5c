import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { neverAborted as signal, nextBackupId, startAttempt } from '../../tests/support/repositories.ts';
import { randomSource, someBytes } from '../../tests/support/pieces.ts';
import { systemClock } from '../lib/clock.ts';
import { CorruptData } from '../lib/failure.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { type Cipher, keyedCipher, openCipher } from './cipher.ts';
import { BLOCK_BYTES, encodeExtent, Extent } from './extent.ts';
import { type FooterFrame, NODE } from './footer.ts';
import { compressSync, FRAME_HEADER_BYTES } from './frame.ts';
import { FrameReader } from './frame-reader.ts';
import { newAttemptId, parseBackupId, segmentKey, segmentName, segmentOfKey } from './names.ts';
import { OpenSegment } from './open-segment.ts';
import { initRepository } from './repository.ts';
import { readFooter } from './segment-reader.ts';
import { UploadedLeaves } from './uploaded-leaves.ts';

/** The leaves of a segment, read anew: nothing of it is kept from before. */
function leavesOf(storage: MemoryStorage, cipher: Cipher, found: FoundSegment): UploadedLeaves {
  const leaves = new UploadedLeaves(new FrameReader({ storage, cipher, signal }), cipher);
  leaves.addSegment(found.segment, found.frames);
  return leaves;
}

interface FoundSegment {
  readonly segment: string;
  readonly frames: readonly FooterFrame[];
}

async function framesOf(storage: MemoryStorage, segment: string, cipher: Cipher): Promise<FooterFrame[]> {
  const size = storage.objects.get(segmentKey(segment))?.bytes.length ?? 0;
  return readFooter({ name: segment, size }, { storage, cipher, signal });
}

/** The leaf's bytes as decoded and encoded again; undefined where it is not used. */
async function adopted(leaves: UploadedLeaves): Promise<Buffer | undefined> {
  try {
    const leaf = await leaves.leaf('a', 0);
    return leaf && encodeExtent(leaf);
  } catch (error) {
    if (error instanceof CorruptData) return undefined;
    throw error;
  }
}

test('whichever bit of a leaf is flipped in an open repository, it is not used, or is what was written', async () => {
  const storage = new MemoryStorage();
  const options = { clock: systemClock, signal, conditionalPut: true, unlock: undefined, label: '' };
  const attempt = await startAttempt(await initRepository(storage, options), {});
  using writer = attempt.writer;
  const bytes = someBytes(randomSource(2), 8 * BLOCK_BYTES);
  // Two blocks of zeros, so that the leaf has runs.
  bytes.fill(0, 3 * BLOCK_BYTES, 5 * BLOCK_BYTES);
  await writer.write([
    { type: 'data', path: 'a', offset: 0, bytes },
    { type: 'end', path: 'a', size: bytes.length },
  ]);
  await writer.finish();
  const segment = [...storage.objects.keys()].map((key) => segmentOfKey(key)).find((name) => name !== undefined) ?? '';
  const frames = await framesOf(storage, segment, openCipher);
  const frame = frames.find((each) => each.kind === 'node' && each.node.type === NODE.extent);
  const stored = storage.objects.get(segmentKey(segment))?.bytes;
  if (!frame || !stored) throw new Error('no leaf was written');
  const whole = await adopted(leavesOf(storage, openCipher, { segment, frames }));
  expect(whole).toBeDefined();
  let refused = 0;
  for (let bit = frame.offset * 8; bit < (frame.offset + FRAME_HEADER_BYTES + frame.bodyLength) * 8; bit += 1) {
    const at = Math.floor(bit / 8);
    stored[at] = (stored[at] ?? 0) ^ (1 << (bit % 8));
    const leaf = await adopted(leavesOf(storage, openCipher, { segment, frames }));
    stored[at] = (stored[at] ?? 0) ^ (1 << (bit % 8));
    if (leaf === undefined) refused += 1;
    else expect(leaf.equals(whole ?? Buffer.alloc(0)), `bit ${bit - frame.offset * 8}`).toBe(true);
  }
  // All but the numbers of the frame that nobody needs to read it.
  expect(refused).toBeGreaterThan(frame.bodyLength * 8 - 64);
});

describe('a leaf without a checksum, as earlier versions wrote them', () => {
  test.each([
    ['is not used in an open repository', openCipher, false],
    ['is used in an encrypted one, where its tag vouches for it', keyedCipher(Buffer.alloc(32, 7)), true],
  ])('%s', async (_, cipher, isUsed) => {
    const name = segmentName({ backup: parseBackupId(nextBackupId()), attempt: newAttemptId() }, 1);
    const leaf = new Extent(1);
    leaf.add({ id: Buffer.alloc(32, 1), frame: { place: { segment: name, offset: 64, length: 99 } }, plainOffset: 0 });
    const plain = encodeExtent(leaf);
    for (const level of [0, 1]) {
      const open = new OpenSegment(name, Buffer.alloc(64 << 10), cipher);
      open.addNode(compressSync(plain, level), plain.length, { type: NODE.extent, path: 'a', level: 1, index: 0 });
      const storage = new MemoryStorage();
      await storage.put(segmentKey(name), open.close().bytes);
      const frames = await framesOf(storage, name, cipher);
      expect(await adopted(leavesOf(storage, cipher, { segment: name, frames }))).toEqual(isUsed ? plain : undefined);
    }
  });
});

/** Bytes in use, garbage collected. */
function bytesInUse(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

test('the leaves of a large dead attempt take little memory', () => {
  // 840 GB in ten files that were written in turn.
  const total = 200_000;
  const before = bytesInUse();
  const storage = new MemoryStorage();
  const leaves = new UploadedLeaves(new FrameReader({ storage, cipher: openCipher, signal }), openCipher);
  for (let at = 0; at < total; at += 10) {
    const frames = Array.from({ length: 10 }, (_, file): FooterFrame => {
      const node = { type: NODE.extent, path: `app/large_table_${file}.ibd`, level: 1, index: at / 10 };
      return { kind: 'node', offset: 64 + file, bodyLength: 9000, plainLength: 9000, node };
    });
    leaves.addSegment(`20261121T014327Z-9f3a21bc/334384cb-${String(at / 10).padStart(6, '0')}`, frames);
  }
  expect((bytesInUse() - before) / total).toBeLessThan(80);
  expect(leaves).toBeDefined();
});
