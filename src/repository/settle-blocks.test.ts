import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import type { FilePiece } from '../engine/engine.ts';
import type { Storage } from '../storage/storage.ts';
import { BackupWriter } from './backup-writer.ts';
import { hashingHere } from './block-hasher.ts';
import { blockDigests, openCipher } from './cipher.ts';
import { BLOCK_BYTES } from './extent.ts';
import { newAttemptId } from './names.ts';

/** A store that keeps the sizes of what it gets. */
function sizesOf(sizes: number[]): Storage {
  return {
    description: 'sizes',
    put: async (_key, bytes) => Promise.resolve(void sizes.push(bytes.length)).then(() => 'stored' as const),
    get: async () => Promise.reject(new Error('nothing is read')),
    list: async function* () {},
    delete: async () => Promise.resolve(),
  };
}

async function framesOf(pieces: readonly FilePiece[]): Promise<number> {
  let frames = 0;
  using writer = new BackupWriter({
    storage: sizesOf([]),
    cipher: openCipher,
    attempt: { backup: '20261121T014327Z-9f3a21bc', attempt: newAttemptId() },
    known: undefined,
    segmentFacts: () => undefined,
    level: 1,
    signal: new AbortController().signal,
    hasher: hashingHere(blockDigests(undefined)),
    compressor: {
      compress: async (plain) => {
        frames += 1;
        return Promise.resolve({ codec: 0, body: plain, release: () => undefined });
      },
    },
  });
  await writer.write(pieces);
  await writer.finish();
  return frames;
}

test('a backup of nothing but zeros has no frame of blocks, one of a few blocks has one', async () => {
  const end = { type: 'end', path: 'a', size: BLOCK_BYTES * 3 } as const;
  const data = (bytes: Buffer): FilePiece => ({ type: 'data', path: 'a', offset: 0, bytes });
  expect(await framesOf([data(Buffer.alloc(BLOCK_BYTES * 3)), end])).toBe(0);
  expect(await framesOf([data(randomBytes(BLOCK_BYTES * 3)), end])).toBe(1);
});
