import { Worker } from 'node:worker_threads';
import { Failure } from '../lib/failure.ts';
import { BlockBatch } from './block-batch.ts';
import { blockDigests, type Cipher } from './cipher.ts';

/** Gives blocks their ids. */
export interface BlockHasher extends Disposable {
  /** Nobody else may use the batch until it resolves. */
  hash(batch: BlockBatch): Promise<void>;
}

/** What the thread is started with. */
export interface HasherData {
  readonly idKey: Uint8Array | undefined;
}

/** Sent to the thread, and back when the ids are there. */
export interface HashJob {
  readonly number: number;
  readonly memory: SharedArrayBuffer;
  readonly count: number;
}

/** For tests, and where hashing costs nothing. */
export function hashingHere(digest: (bytes: Uint8Array) => string): BlockHasher {
  return {
    hash: async (batch) => Promise.resolve(batch.identify(digest)),
    [Symbol.dispose]: () => undefined,
  };
}

/** A thread costs more than hashing so little. */
const BYTES_HERE = 32 << 20;
/** The thread holds little: what it hashes is not its own. */
const limits = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 };

/**
 * Hashes on a thread of its own: reading a stream and hashing it take about the same time, and compressing has the other cores.
 * The first 32 MiB are hashed here, so that a small backup needs no thread.
 */
export class HashingThread implements BlockHasher {
  readonly #cipher: Cipher;
  readonly #waiting = new Map<number, PromiseWithResolvers<void>>();
  #worker: Worker | undefined;
  #failure: Failure | undefined;
  #bytes = 0;
  #jobs = 0;

  constructor(cipher: Cipher) {
    this.#cipher = cipher;
  }

  async hash(batch: BlockBatch): Promise<void> {
    this.#bytes += batch.length;
    if (this.#bytes <= BYTES_HERE) {
      batch.identify(blockDigests(this.#cipher.idKey));
      return;
    }
    if (this.#failure) throw this.#failure;
    const worker = (this.#worker ??= this.#start());
    this.#jobs += 1;
    const job: HashJob = { number: this.#jobs, memory: batch.memory, count: batch.count };
    const answer = Promise.withResolvers<void>();
    this.#waiting.set(job.number, answer);
    worker.postMessage(job);
    await answer.promise;
  }

  [Symbol.dispose](): void {
    this.#fail(new Failure('hashing-ended', 'Cannot hash any more blocks as the backup has ended'));
    void this.#worker?.terminate();
  }

  #start(): Worker {
    const workerData: HasherData = { idKey: this.#cipher.idKey };
    // Beside this file, as source and in the program that is published.
    const file = import.meta.url.endsWith('.ts') ? './hash-worker.ts' : './hash-worker.js';
    const worker = new Worker(new URL(file, import.meta.url), {
      workerData,
      resourceLimits: limits,
      name: 'holdfast-hash',
    });
    worker.on('message', (number: number) => {
      this.#waiting.get(number)?.resolve();
      this.#waiting.delete(number);
    });
    const failed = (cause: unknown): void =>
      this.#fail(new Failure('hashing-failed', 'Cannot hash blocks as the thread for it ended', { cause }));
    worker.on('error', failed);
    worker.on('exit', (code) => failed(new Error(`exit code ${code}`)));
    return worker;
  }

  #fail(failure: Failure): void {
    this.#failure ??= failure;
    for (const { reject } of this.#waiting.values()) reject(this.#failure);
    this.#waiting.clear();
  }
}
