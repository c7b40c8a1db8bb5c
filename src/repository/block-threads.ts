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

/** Sent to a thread; the memory is shared with it. */
export type BlockOrder =
  | { readonly type: 'hash'; readonly memory: SharedArrayBuffer; readonly count: number }
  | {
      readonly type: 'compress';
      readonly memory: SharedArrayBuffer;
      readonly offset: number;
      readonly length: number;
      readonly into: SharedArrayBuffer;
      readonly level: CompressionLevel;
    };

/** Sent back: the length of what was compressed. */
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
  job: Job | undefined;
}

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
    this.#hashed += batch.length;
    if (this.#hashed > HASHED_HERE || this.#threads.length > 0)
      await this.#run({ type: 'hash', memory: batch.memory, count: batch.count });
    else batch.identify(this.#digest);
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
    return this.#run({ type: 'compress', ...plain, into, level });
  }

  [Symbol.dispose](): void {
    this.#fail(new Failure('hashing-ended', 'Cannot hash or compress any more blocks as the backup has ended'));
    for (const { worker } of this.#threads) void worker.terminate();
  }

  async #run(order: BlockOrder): Promise<BlockAnswer> {
    if (this.#failure) throw this.#failure;
    const job: Job = { order, done: Promise.withResolvers<BlockAnswer>() };
    this.#waiting[order.type].push(job);
    this.#assign(this.#threads.find((thread) => thread.job === undefined) ?? this.#another());
    return job.done.promise;
  }

  #another(): Thread | undefined {
    return this.#threads.length < this.#most ? this.#start() : undefined;
  }

  #assign(thread: Thread | undefined): void {
    if (!thread) return;
    thread.job = this.#waiting.hash.shift() ?? this.#waiting.compress.shift();
    if (thread.job) thread.worker.postMessage(thread.job.order);
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
    const thread: Thread = { worker, job: undefined };
    this.#threads.push(thread);
    worker.on('message', (answer: BlockAnswer) => {
      thread.job?.done.resolve(answer);
      this.#assign(thread);
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
    const jobs = [...this.#threads.map(({ job }) => job), ...hash.splice(0), ...compress.splice(0)];
    for (const job of jobs) job?.done.reject(this.#failure);
  }
}

/** Hashing alone is about what reading the stream takes; compressing is most of all the work. */
function mostThreads(level: CompressionLevel): number {
  const processors = availableParallelism();
  return Math.min(MAX_THREADS, level === 0 ? Math.max(1, Math.floor(processors / 2)) : Math.max(2, processors));
}
