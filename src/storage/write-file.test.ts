import { randomBytes } from 'node:crypto';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BufferPool } from '../repository/buffer-pool.ts';
import { writeNewFile } from './write-file.ts';

const MEBIBYTE = 1 << 20;
let folders: readonly string[];

beforeAll(async () => {
  // Two file systems, one of which may know no writes past the cache.
  folders = await Promise.all([tmpdir(), '/dev/shm'].map(async (parent) => mkdtemp(join(parent, 'holdfast-write-'))));
});

afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

const lengths = [0, 1, 4096, MEBIBYTE - 1, MEBIBYTE, MEBIBYTE + 1, MEBIBYTE + 4095, 5 * MEBIBYTE, 9 * MEBIBYTE + 5000];

test.for(lengths)('%i bytes are in the file as they were given, from any memory', async (length) => {
  const memories = {
    'that begins with a page': new BufferPool({ count: 1, size: 16 * MEBIBYTE }).take() ?? Buffer.alloc(0),
    'that does not': Buffer.allocUnsafeSlow(16 * MEBIBYTE).subarray(7),
  };
  for (const [kind, memory] of Object.entries(memories)) {
    const bytes = memory.subarray(0, length);
    randomBytes(length).copy(bytes);
    for (const [number, folder] of folders.entries()) {
      const path = join(folder, `${length} of memory ${kind}`);
      {
        await using file = await open(path, 'wx');
        await writeNewFile(file, { path, bytes });
      }
      expect((await readFile(path)).equals(bytes), `${kind}, folder ${number}`).toBe(true);
    }
  }
});

test('writing stops between two writes when it is aborted', async () => {
  const path = join(folders[0] ?? '', 'aborted');
  await using file = await open(path, 'wx');
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(writeNewFile(file, { path, bytes: Buffer.alloc(2 * MEBIBYTE), signal })).rejects.toThrow('enough');
  expect((await file.stat()).size).toBe(0);
});
