import { randomBytes } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { Decompressor } from './decompressor.ts';

const MEBIBYTE = 1 << 20;

/** Bytes of which about two thirds are new. */
function someBytes(length: number): Buffer {
  const bytes = Buffer.alloc(length, 7);
  for (let at = 0; at < length; at += 96) randomBytes(64).copy(bytes, at);
  return bytes;
}

async function plainOf(decompressor: Decompressor, packed: Buffer, length: number): Promise<Buffer> {
  const { bytes, release } = await decompressor.decompress(packed, length);
  const copy = Buffer.from(bytes);
  release();
  return copy;
}

test('frames of all sizes come out as they went in, one after the other and at once', async () => {
  using decompressor = new Decompressor();
  const plains = [MEBIBYTE, 1, 16_384, MEBIBYTE - 7, 4 * MEBIBYTE, 3, MEBIBYTE, MEBIBYTE, MEBIBYTE].map(someBytes);
  const check = async (plain: Buffer): Promise<void> => {
    const came = await plainOf(decompressor, zstdCompressSync(plain), plain.length);
    expect(came.equals(plain)).toBe(true);
  };
  for (let round = 0; round < 3; round += 1) for (const plain of plains) await check(plain);
  await Promise.all([...plains, ...plains].map(check));
});

test('what is not a frame of the length that was said is an error, and the next frame is none the worse', async () => {
  using decompressor = new Decompressor();
  const plain = someBytes(MEBIBYTE);
  const packed = zstdCompressSync(plain);
  for (const damaged of [packed.subarray(0, -3), Buffer.from('no frame'), zstdCompressSync(plain.subarray(1))]) {
    await expect(decompressor.decompress(damaged, MEBIBYTE)).rejects.toThrow(/./);
    expect((await plainOf(decompressor, packed, MEBIBYTE)).equals(plain)).toBe(true);
  }
});

test('a frame that unpacks to far more than it says takes little memory', async () => {
  using decompressor = new Decompressor();
  const bomb = zstdCompressSync(Buffer.alloc(256 * MEBIBYTE));
  const before = process.memoryUsage.rss();
  await expect(decompressor.decompress(bomb, MEBIBYTE)).rejects.toThrow(RangeError);
  expect(process.memoryUsage.rss() - before).toBeLessThan(64 * MEBIBYTE);
});
