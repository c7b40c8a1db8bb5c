import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { BlockBatch } from './block-batch.ts';
import { HashingThread } from './block-hasher.ts';
import { keyedCipher, openCipher } from './cipher.ts';

const MEBIBYTE = 1 << 20;

test.for([
  ['without a key', openCipher],
  ['with a key', keyedCipher(Buffer.alloc(32, 7))],
] as const)('the thread gives the ids that this thread gives, %s', async ([, cipher]) => {
  using hasher = new HashingThread(cipher);
  // The first ones are hashed here, the last ones by the thread.
  for (let round = 0; round < 40; round += 1) {
    const batch = new BlockBatch(BlockBatch.memoryOf(MEBIBYTE));
    const blocks = Array.from({ length: 60 }, (_, number) => randomBytes(16_384 - number));
    for (const block of blocks) batch.add(block);
    await hasher.hash(batch);
    expect(blocks.map((_, number) => batch.id(number).toString('hex'))).toEqual(
      blocks.map((block) => cipher.blockId(block).toString('hex')),
    );
  }
});

test('what waits learns that the thread is gone', async () => {
  const hasher = new HashingThread(openCipher);
  const batch = new BlockBatch(BlockBatch.memoryOf(64 * MEBIBYTE));
  for (let block = 0; block < 128; block += 1) batch.add(Buffer.alloc(400_000, block));
  const hashed = hasher.hash(batch);
  hasher[Symbol.dispose]();
  await expect(hashed).rejects.toMatchObject({ code: 'hashing-ended' });
  await expect(hasher.hash(batch)).rejects.toMatchObject({ code: 'hashing-ended' });
});
