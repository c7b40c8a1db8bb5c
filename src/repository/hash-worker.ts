import { parentPort, workerData } from 'node:worker_threads';
import { BlockBatch } from './block-batch.ts';
import type { HasherData, HashJob } from './block-hasher.ts';
import { blockDigests } from './cipher.ts';

/** The thread that hashes, for `HashingThread`. */
const { idKey }: HasherData = workerData;
const digest = blockDigests(idKey);

parentPort?.on('message', ({ number, memory, count }: HashJob) => {
  new BlockBatch(memory, count).identify(digest);
  parentPort?.postMessage(number);
});
