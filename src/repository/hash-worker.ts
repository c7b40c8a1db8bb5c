import { parentPort, workerData } from 'node:worker_threads';
import { BlockBatch } from './block-batch.ts';
import type { HasherData, HashJob } from './block-hasher.ts';
import { blockIds } from './cipher.ts';

/** The thread that hashes, for `HashingThread`. */
const { idKey }: HasherData = workerData;
const blockId = blockIds(idKey);

parentPort?.on('message', ({ number, memory, count }: HashJob) => {
  new BlockBatch(memory, count).identify(blockId);
  parentPort?.postMessage(number);
});
