import { randomBytes } from 'node:crypto';
import { zstdDecompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { BlockBatch } from './block-batch.ts';
import { BlockThreads } from './block-threads.ts';
import { wholeSpan } from './bytes.ts';
import { keyedCipher, openCipher } from './cipher.ts';
import { createCompressor } from './compressor.ts';
import { CODEC } from './frame.ts';

const MEBIBYTE = 1 << 20;

test.for([
  ['without a key', openCipher],
  ['with a key', keyedCipher(Buffer.alloc(32, 7))],
] as const)('threads give the ids that this thread gives, %s', async ([, cipher]) => {
  using hasher = new BlockThreads(cipher, { level: 1 });
  // The first ones are hashed here, the last ones by a thread.
  for (let round = 0; round < 40; round += 1) {
    const batch = new BlockBatch(BlockBatch.memoryOf(MEBIBYTE));
    const blocks = Array.from({ length: 60 }, (_, number) => randomBytes(16_384 - number));
    for (const block of blocks) batch.add(wholeSpan(block));
    await hasher.hash(batch);
    expect(blocks.map((_, number) => batch.id(number).toString('hex'))).toEqual(
      blocks.map((block) => cipher.blockId(block).toString('hex')),
    );
  }
});

test('hashing and compressing in one go gives what both give apart', async () => {
  using threads = new BlockThreads(openCipher, { level: 1 });
  const compressor = createCompressor(1, threads);
  for (let from = 0; from < 20; from += 5) {
    const batches = Array.from({ length: 5 }, (_, number) => batchOf(60 - number));
    const frames = await Promise.all(batches.map(async (batch) => compressor.hashAndCompress?.(batch)));
    for (const [at, batch] of batches.entries()) {
      const plain = Buffer.from(batch.bytes.subarray(0, batch.length));
      expectIds(batch, plain);
      const frame = frames[at];
      // The first ones are hashed here, and compressed by whoever looked through them.
      if (!frame) expect(from).toBeLessThan(10);
      else if (at % 2 === 0) expect(zstdDecompressSync(frame.body).equals(plain)).toBe(true);
      else expect(frame).toMatchObject({ codec: CODEC.raw, body: plain });
      frame?.release();
    }
  }
});

/** A batch of so many blocks; those of every other call do not shrink. */
function batchOf(blocks: number): BlockBatch {
  const batch = new BlockBatch(BlockBatch.memoryOf(MEBIBYTE));
  for (let block = 0; block < blocks; block += 1) {
    const bytes = blocks % 2 === 0 ? Buffer.alloc(16_384, randomBytes(600)) : randomBytes(16_384);
    batch.add(wholeSpan(bytes));
  }
  return batch;
}

function expectIds(batch: BlockBatch, plain: Buffer): void {
  for (let number = 0; number < batch.count; number += 1) {
    const block = plain.subarray(number * 16_384, (number + 1) * 16_384);
    expect(batch.id(number)).toEqual(openCipher.blockId(block));
  }
}

test('what waits learns that the thread is gone', async () => {
  const hasher = new BlockThreads(openCipher, { level: 1 });
  const batch = new BlockBatch(BlockBatch.memoryOf(64 * MEBIBYTE));
  for (let block = 0; block < 128; block += 1) batch.add(wholeSpan(Buffer.alloc(400_000, block)));
  const hashed = hasher.hash(batch);
  hasher[Symbol.dispose]();
  await expect(hashed).rejects.toMatchObject({ code: 'hashing-ended' });
  await expect(hasher.hash(batch)).rejects.toMatchObject({ code: 'hashing-ended' });
});

test('so does everything that a thread was sent ahead, and what waits behind it', async () => {
  const threads = new BlockThreads(openCipher, { level: 1, expectedBytes: 1 << 30 });
  const asked = Array.from({ length: 20 }, async () => threads.hash(batchOf(64)));
  threads[Symbol.dispose]();
  for (const each of await Promise.allSettled(asked))
    expect(each).toMatchObject({ status: 'rejected', reason: { code: 'hashing-ended' } });
});

/** Shared, as frames are. */
function sharedBytes(length: number): Buffer {
  const bytes = Buffer.from(new SharedArrayBuffer(length));
  for (let at = 0; at + 64 <= length; at += 128) randomBytes(64).copy(bytes, at);
  return bytes;
}

test('frames are compressed at once, each in memory of its own until it is released', async () => {
  using threads = new BlockThreads(openCipher, { level: 1 });
  const compressor = createCompressor(1, threads);
  const plains = Array.from({ length: 30 }, (_, number) => sharedBytes(MEBIBYTE - 1000 * number));
  for (let from = 0; from < plains.length; from += 5) {
    const some = plains.slice(from, from + 5);
    const packed = await Promise.all(some.map(async (plain) => compressor.compress(plain)));
    for (const [at, frame] of packed.entries()) {
      expect(frame.codec).toBe(CODEC.zstd);
      expect(zstdDecompressSync(frame.body).equals(some[at] ?? Buffer.alloc(0))).toBe(true);
      frame.release();
    }
  }
});

test('what does not shrink stays as it is', async () => {
  using threads = new BlockThreads(openCipher, { level: 1 });
  const compressor = createCompressor(1, threads);
  for (let round = 0; round < 12; round += 1) {
    const plain = Buffer.from(new SharedArrayBuffer(MEBIBYTE));
    randomBytes(MEBIBYTE).copy(plain, 0, 1);
    const frame = await compressor.compress(plain);
    expect(frame.codec).toBe(CODEC.raw);
    expect(frame.body.buffer).toBe(plain.buffer);
    frame.release();
  }
});
