import { parentPort, workerData } from 'node:worker_threads';
import { blockDigests } from './cipher.ts';
import { type RangeTools, runRangeJob } from './range-job.ts';
import { type RangeAnswer, type RangeOrder, type RangeWorkerData, toldError } from './range-workers.ts';
import { TargetFiles } from './target-files.ts';

/** A thread of `RangeWorkers`. */
const { idKey }: RangeWorkerData = workerData;
const tools: RangeTools = { digest: blockDigests(idKey), files: new TargetFiles() };

parentPort?.on('message', ({ job }: RangeOrder) => {
  // The memory goes back, to be used again.
  parentPort?.postMessage(answer(job), [job.bytes.buffer]);
});

function answer(job: RangeOrder['job']): RangeAnswer {
  try {
    runRangeJob(job, tools);
    return { memory: job.bytes.buffer, error: undefined };
  } catch (error) {
    return { memory: job.bytes.buffer, error: toldError(error) };
  }
}
