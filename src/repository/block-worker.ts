import { parentPort, workerData } from 'node:worker_threads';
import { releaseMemory } from '../lib/release-memory.ts';
import { BlockBatch } from './block-batch.ts';
import type { BlockAnswer, BlockOrder, BlockWorkerData } from './block-threads.ts';
import { copyBytes } from './bytes.ts';
import { blockDigests } from './cipher.ts';
import { CODEC, compressSync } from './frame.ts';

/** A thread of `BlockThreads`. */
const { idKey }: BlockWorkerData = workerData;
const digest = blockDigests(idKey);

parentPort?.on('message', ({ memory, hash: blocks, compress: order }: BlockOrder) => {
  if (blocks !== undefined) new BlockBatch(memory, blocks).identify(digest);
  const answer: BlockAnswer = order ? compress(memory, order) : 0;
  parentPort?.postMessage(answer);
});

/** @returns the length of what was put into `into`; 0 where it does not shrink. */
function compress(
  memory: SharedArrayBuffer,
  { offset, length, into, level }: NonNullable<BlockOrder['compress']>,
): BlockAnswer {
  const { codec, body } = compressSync(Buffer.from(memory, offset, length), level);
  if (codec !== CODEC.zstd || body.length > into.byteLength) return 0;
  copyBytes(body, Buffer.from(into), 0);
  const packed = body.length;
  releaseMemory(body);
  return packed;
}
