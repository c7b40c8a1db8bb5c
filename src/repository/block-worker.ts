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

parentPort?.on('message', (order: BlockOrder) => {
  const answer: BlockAnswer = order.type === 'hash' ? hash(order) : compress(order);
  parentPort?.postMessage(answer);
});

function hash({ memory, count }: BlockOrder & { type: 'hash' }): BlockAnswer {
  new BlockBatch(memory, count).identify(digest);
  return 0;
}

/** @returns the length of what was put into `into`; 0 where it does not shrink. */
function compress({ memory, offset, length, into, level }: BlockOrder & { type: 'compress' }): BlockAnswer {
  const { codec, body } = compressSync(Buffer.from(memory, offset, length), level);
  if (codec !== CODEC.zstd || body.length > into.byteLength) return 0;
  copyBytes(body, Buffer.from(into), 0);
  const packed = body.length;
  releaseMemory(body);
  return packed;
}
