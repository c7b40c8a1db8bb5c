import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BlockPipeline, type BlockPipelineOptions } from './block-pipeline.ts';
import { wholeSpan } from './bytes.ts';
import { blockDigests, openCipher } from './cipher.ts';

type Prepare = BlockPipelineOptions<unknown>['prepare'];

/** Hashes after a while that is another one each time, so that batches overtake each other. */
function slowly(delays: readonly number[]): Prepare {
  let next = 0;
  return async (batch) => {
    next += 1;
    await sleep(delays[next % delays.length] ?? 0);
    batch.identify(blockDigests(undefined));
    return undefined;
  };
}

test('everything is settled once, in order, with its bytes and its id', async () => {
  const blocks = fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 80 });
  const delays = fc.array(fc.nat(3), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(blocks, delays, async (given, waits) => {
      const seen: Buffer[] = [];
      const pipeline = new BlockPipeline<Uint8Array>({
        prepare: slowly(waits),
        batchBytes: 128,
        batches: 3,
        settle: async ({ batch, entries, release }) => {
          let position = 0;
          for (const { work, number } of entries) {
            const length = number === undefined ? 0 : batch.lengthOf(number);
            seen.push(Buffer.from(batch.bytes.subarray(position, position + length)));
            if (number !== undefined) expect(batch.id(number)).toEqual(openCipher.blockId(work));
            position += length;
          }
          await sleep(0);
          release();
        },
      });
      for (const block of given) {
        if (block.length === 0) {
          await pipeline.note(block);
          continue;
        }
        if (!pipeline.hasRoom(block.length)) await pipeline.makeRoom();
        pipeline.add(wholeSpan(block), block);
      }
      await pipeline.drain();
      expect(seen).toEqual(given.map((block) => Buffer.from(block)));
    }),
    { numRuns: 40 },
  );
});

test('a batch that is never given back is waited for, until something fails', async () => {
  const pipeline = new BlockPipeline<number>({
    prepare: slowly([0]),
    batchBytes: 16,
    batches: 2,
    settle: async () => Promise.resolve(),
  });
  for (let number = 0; number < 2; number += 1) {
    await pipeline.makeRoom();
    pipeline.add(wholeSpan(Buffer.alloc(16)), number);
  }
  const waiting = pipeline.makeRoom();
  expect(await Promise.race([waiting.then(() => 'room'), sleep(50, 'waits')])).toBe('waits');
  pipeline.fail(new Error('the store is gone'));
  await expect(waiting).rejects.toThrow('the store is gone');
  await expect(pipeline.drain()).rejects.toThrow('the store is gone');
});

test('what fails while a batch is settled comes to whoever adds the next block', async () => {
  const pipeline = new BlockPipeline<number>({
    prepare: slowly([1]),
    batchBytes: 16,
    batches: 2,
    settle: async () => Promise.reject(new Error('no room in the store')),
  });
  const adding = async (): Promise<void> => {
    for (let number = 0; number < 9; number += 1) {
      await pipeline.makeRoom();
      pipeline.add(wholeSpan(Buffer.alloc(16)), number);
    }
  };
  await expect(adding()).rejects.toThrow('no room in the store');
});
