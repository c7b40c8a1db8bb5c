import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { randomSource, someBytes } from '../../tests/support/pieces.ts';
import { CorruptData } from '../lib/failure.ts';
import { type Cipher, keyedCipher, openCipher } from './cipher.ts';
import { compressSync, encodeFrame, FRAME } from './frame.ts';
import { RangeWorkers, type RangeOrder } from './range-workers.ts';

const BLOCK = 16_384;
const NAME = 'segments/00/of-a-test';
const SALT = Buffer.alloc(32, 3);

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-test-'));
});
afterEach(async () => rm(directory, { recursive: true }));

const random = randomSource(11);

/** Half of them are the same. */
function plainBytes(length: number): Buffer {
  const bytes = Buffer.from(someBytes(random, length));
  for (let at = 0; at < length; at += 128) bytes.fill(7, at, at + 64);
  return bytes;
}

interface Made {
  readonly plain: Buffer;
  readonly job: RangeOrder['job'];
}

/** A job for a frame that is written to `path`, or only verified. */
function makeJob(cipher: Cipher, plain: Buffer, path?: string): Made {
  const object = cipher.forObject(NAME, SALT);
  const frame = encodeFrame(
    { kind: FRAME.data, ordinal: 0, plainLength: plain.length, ...compressSync(plain, 1) },
    object,
  );
  const ids: Buffer[] = [];
  for (let at = 0; at < plain.length; at += BLOCK) ids.push(cipher.blockId(plain.subarray(at, at + BLOCK)));
  const target = path === undefined ? undefined : { path, position: 0, isSparse: false };
  const runs = [{ plainOffset: 0, length: plain.length, target }];
  const frames = [{ at: 0, length: frame.body.length, runs }];
  const bytes = Uint8Array.from(Buffer.concat([frame.header, frame.body]));
  return {
    plain,
    job: { name: NAME, objectKey: object.key, bytes, frames, ids: Uint8Array.from(Buffer.concat(ids)) },
  };
}

async function emptyFile(path: string): Promise<void> {
  await using file = await open(path, 'wx');
  await file.truncate(0);
}

describe.for([
  ['without a key', openCipher],
  ['with a key', keyedCipher(Buffer.alloc(32, 7))],
] as const)('%s', ([, cipher]) => {
  test('every file gets its bytes, whichever thread wrote it, and the memory comes back', async () => {
    await using workers = new RangeWorkers(cipher);
    const jobs = Array.from({ length: 20 }, (_, number) => ({
      path: join(directory, `file-${number}`),
      plain: plainBytes((1 << 20) - number),
    }));
    await Promise.all(
      jobs.map(async ({ path, plain }) => {
        await emptyFile(path);
        const { job } = makeJob(cipher, plain, path);
        const { byteLength } = job.bytes.buffer;
        expect((await workers.run(job)).byteLength).toBe(byteLength);
        expect((await readFile(path)).equals(plain)).toBe(true);
      }),
    );
  });

  test('what is damaged is never written, on this thread or another', async () => {
    await using workers = new RangeWorkers(cipher);
    for (let round = 0; round < 12; round += 1) {
      const path = join(directory, `file-${round}`);
      await emptyFile(path);
      const { job } = makeJob(cipher, plainBytes(1 << 20), path);
      const at = Math.floor((job.bytes.length * (round + 1)) / 13);
      job.bytes[at] = (job.bytes[at] ?? 0) ^ 0x10;
      await expect(workers.run(job), `byte ${at}`).rejects.toThrow(CorruptData);
      expect((await readFile(path)).length).toBe(0);
    }
  });
});

test('a wrong id is told as wrong bytes, with the next step', async () => {
  await using workers = new RangeWorkers(openCipher);
  for (let round = 0; round < 12; round += 1) {
    const { job } = makeJob(openCipher, plainBytes(1 << 20));
    job.ids[round * 160] = (job.ids[round * 160] ?? 0) ^ 1;
    await expect(workers.run(job)).rejects.toMatchObject({
      code: 'wrong-bytes',
      message: `Cannot use a block of ${NAME} as its bytes are not what was written`,
      nextStep: expect.stringContaining('repository check'),
    });
  }
});

test('what the system says of a write keeps its code', async () => {
  await using workers = new RangeWorkers(openCipher);
  for (let round = 0; round < 12; round += 1) {
    const { job } = makeJob(openCipher, plainBytes(1 << 20), join(directory, 'not-there'));
    await expect(workers.run(job)).rejects.toMatchObject({ code: 'ENOENT', syscall: 'open' });
  }
});

test('when it is disposed of, what is under way has ended, and nothing more begins', async () => {
  const workers = new RangeWorkers(openCipher);
  const ended: unknown[] = [];
  for (let number = 0; number < 12; number += 1) {
    const { job } = makeJob(openCipher, plainBytes(2 << 20));
    void workers.run(job).then(() => ended.push(number));
  }
  await workers[Symbol.asyncDispose]();
  expect(ended.length).toBe(12);
  await expect(workers.run(makeJob(openCipher, plainBytes(1 << 20)).job)).rejects.toMatchObject({
    code: 'reading-ended',
  });
});
