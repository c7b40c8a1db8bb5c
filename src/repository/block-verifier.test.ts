import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { BlockVerifier, type ClaimedBlocks } from './block-verifier.ts';
import { keyedCipher, openCipher, type Cipher } from './cipher.ts';

const BLOCK = 16_384;

function claimed(cipher: Cipher, length: number): ClaimedBlocks {
  const bytes = randomBytes(length);
  const ids: Buffer[] = [];
  for (let at = 0; at < length; at += BLOCK) ids.push(cipher.blockId(bytes.subarray(at, at + BLOCK)));
  return { bytes, ids: Buffer.concat(ids) };
}

test.for([
  ['without a key', openCipher],
  ['with a key', keyedCipher(Buffer.alloc(32, 7))],
] as const)('right blocks are right, and one wrong bit anywhere is not, %s', async ([, cipher]) => {
  using verifier = new BlockVerifier(cipher);
  // More than one batch, a short last block, and enough to be hashed by the thread.
  for (let round = 0; round < 8; round += 1) {
    const runs = [claimed(cipher, 3 * BLOCK), claimed(cipher, 250 * BLOCK + 17), claimed(cipher, 1)];
    expect(await verifier.areRight(runs)).toBe(true);
    for (const { bytes } of runs) {
      const at = Math.floor(Math.random() * bytes.length);
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
      expect(await verifier.areRight(runs), `byte ${at} of ${bytes.length}`).toBe(false);
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    }
  }
});

test('blocks and ids that are not as many are not right', async () => {
  using verifier = new BlockVerifier(openCipher);
  const { bytes, ids } = claimed(openCipher, 2 * BLOCK);
  expect(await verifier.areRight([{ bytes, ids: ids.subarray(32) }])).toBe(false);
  expect(await verifier.areRight([{ bytes: bytes.subarray(BLOCK), ids }])).toBe(false);
});
