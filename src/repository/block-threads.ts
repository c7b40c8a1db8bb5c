import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Failure } from '../lib/failure.ts';
import type { BlockBatch } from './block-batch.ts';
import type { BlockHasher } from './block-hasher.ts';
import { blockDigests, type Cipher } from './cipher.ts';
import type { CompressionLevel } from './frame.ts';

/** What a thread is started with. */
export interface BlockWorkerData {
  readonly idKey: Uint8Array | undefined;
}

/** Sent to a thread; the memory is shared with it. What is to be hashed and compressed, too, is hashed first. */
export interface BlockOrder {
  readonly memory: SharedArrayBuffer;
  /** Blocks of the batch in this memory that get their ids. */
  readonly hash?: number;
  readonly compress?: {
    readonly offset: number;
    readonly length: number;
    readonly into: SharedArrayBuffer;
    readonly level: CompressionLevel;
  };
}

/** Sent back: the length of what is in `into` now; 0 where nothing was compressed, or it does not shrink. */
export type BlockAnswer = number;

/** Threads cost more than hashing so little. */
const HASHED_HERE = 8 << 20;
/** Where this much is expected, threads are there before the first block: they take a tenth of a second to begin, as the tool does. */
const WORTH_BEGINNING = 64 << 20;
/** One reads the stream and puts things in order while the others work; each takes some 10 MB. */
const MAX_THREADS = 4;
/** What a writer knows before its first block. */
export interface BlockThreadsOptions {
  readonly level: CompressionLevel;
  /** Bytes of the whole backup; undefined where nobody knows. */
  readonly expectedBytes?: number | undefined;
}

/** A thread holds little: what it works on is not its own. */
const limits = { maxOldGenerationSizeMb: 48, maxYoungGenerationSizeMb: 4 };

interface Job {
  readonly order: BlockOrder;
  readonly done: PromiseWithResolvers<BlockAnswer>;
}

interface Thread {
  readonly worker: Worker;
  /** Those that it was sent and has not answered, in order. */
  readonly jobs: Job[];
}

/** The one at hand and the next: without it a thread would wait for as long as waking this one and itself takes. */
const ORDERS_EACH = 2;

/**
 * Hashes and compresses on threads of their own. Hashing goes before compressing: the stream waits for it. The first 8 MiB are
 * hashed here, so that a small backup needs no thread; a large one has them from the first block on.
 */
export class BlockThreads implements BlockHasher {
  readonly #cipher: Cipher;
  readonly #digest: (bytes: Uint8Array) => string;
  readonly #threads: Thread[] = [];
  readonly #waiting: { readonly hash: Job[]; readonly compress: Job[] } = { hash: [], compress: [] };
  #failure: Failure | undefined;
  readonly #most: number;
  #hashed = 0;

  constructor(cipher: Cipher, { level, expectedBytes = 0 }: BlockThreadsOptions) {
    this.#cipher = cipher;
    this.#digest = blockDigests(cipher.idKey);
    this.#most = mostThreads(level);
    if (expectedBytes >= WORTH_BEGINNING) while (this.#threads.length < this.#most) this.#start();
  }

  async hash(batch: BlockBatch): Promise<void> {
    if (this.#isForThreads(batch)) await this.#run({ memory: batch.memory, hash: batch.count });
    else batch.identify(this.#digest);
  }

  /**
   * Both in one go, which wakes a thread once instead of twice, and compresses what its processor still has at hand.
   * @returns as `compress`; undefined where the batch was hashed only, here
   */
  async hashAndCompress(
    batch: BlockBatch,
    into: SharedArrayBuffer,
    level: CompressionLevel,
  ): Promise<number | undefined> {
    const { memory, count, length } = batch;
    if (this.#isForThreads(batch))
      return this.#run({ memory, hash: count, compress: { offset: 0, length, into, level } });
    batch.identify(this.#digest);
    return undefined;
  }

  /**
   * @param plain in memory that is shared; nobody may change it until this resolves
   * @returns the length of what is in `into` now; 0 where it would not fit or is not shorter
   */
  async compress(
    plain: { readonly memory: SharedArrayBuffer; readonly offset: number; readonly length: number },
    into: SharedArrayBuffer,
    level: CompressionLevel,
  ): Promise<number> {
    const { memory, offset, length } = plain;
    return this.#run({ memory, compress: { offset, length, into, level } });
  }

  [Symbol.dispose](): void {
    this.#fail(new Failure('hashing-ended', 'Cannot hash or compress any more blocks as the backup has ended'));
    for (const { worker } of this.#threads) void worker.terminate();
  }

  #isForThreads({ length }: BlockBatch): boolean {
    this.#hashed += length;
    return this.#hashed > HASHED_HERE || this.#threads.length > 0;
  }

  async #run(order: BlockOrder): Promise<BlockAnswer> {
    if (this.#failure) throw this.#failure;
    const job: Job = { order, done: Promise.withResolvers<BlockAnswer>() };
    this.#waiting[order.hash === undefined ? 'compress' : 'hash'].push(job);
    this.#assign();
    return job.done.promise;
  }

  #assign(): void {
    const { hash, compress } = this.#waiting;
    if (hash.length + compress.length === 0) return;
    const thread = this.#leastBusy();
    if (thread.jobs.length >= ORDERS_EACH) return;
    const job = hash.shift() ?? compress.shift();
    if (!job) return;
    thread.jobs.push(job);
    thread.worker.postMessage(job.order);
  }

  #leastBusy(): Thread {
    const least = this.#threads.reduce<Thread | undefined>(
      (best, thread) => (best && best.jobs.length <= thread.jobs.length ? best : thread),
      undefined,
    );
    if (least && (least.jobs.length === 0 || this.#threads.length >= this.#most)) return least;
    return this.#start();
  }

  #start(): Thread {
    const workerData: BlockWorkerData = { idKey: this.#cipher.idKey };
    // Beside this file, as source and in the program that is published.
    const file = import.meta.url.endsWith('.ts') ? './block-worker.ts' : './block-worker.js';
    const worker = new Worker(new URL(file, import.meta.url), {
      workerData,
      resourceLimits: limits,
      name: 'holdfast-block',
    });
    const thread: Thread = { worker, jobs: [] };
    this.#threads.push(thread);
    worker.on('message', (answer: BlockAnswer) => {
      thread.jobs.shift()?.done.resolve(answer);
      this.#assign();
    });
    const failed = (cause: unknown): void =>
      this.#fail(new Failure('hashing-failed', 'Cannot hash or compress blocks as a thread for it ended', { cause }));
    worker.on('error', failed);
    worker.on('exit', (code) => failed(new Error(`exit code ${code}`)));
    return thread;
  }

  #fail(failure: Failure): void {
    this.#failure ??= failure;
    const { hash, compress } = this.#waiting;
    const jobs = [...this.#threads.flatMap((thread) => thread.jobs), ...hash.splice(0), ...compress.splice(0)];
    for (const job of jobs) job.done.reject(this.#failure);
  }
}

/** Hashing alone is about what reading the stream takes; compressing is most of all the work. */
function mostThreads(level: CompressionLevel): number {
  const processors = availableParallelism();
  return Math.min(MAX_THREADS, level === 0 ? Math.max(1, Math.floor(processors / 2)) : Math.max(2, processors));
}
