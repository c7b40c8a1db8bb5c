import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { CorruptData, Failure } from '../lib/failure.ts';
import { blockDigests, type Cipher } from './cipher.ts';
import { type RangeJob, runRangeJob } from './range-job.ts';
import { TargetFiles } from './target-files.ts';

/** What a thread is started with. */
export interface RangeWorkerData {
  readonly idKey: Uint8Array | undefined;
}

/** Sent to a thread with the memory of the bytes. */
export interface RangeOrder {
  readonly job: RangeJob & { readonly bytes: Uint8Array<ArrayBuffer> };
}

/** Sent back with that memory. */
export interface RangeAnswer {
  readonly memory: ArrayBuffer;
  readonly error: ToldError | undefined;
}

/** An error as plain data. */
export type ToldError =
  | { readonly kind: 'damage'; readonly code: string; readonly message: string; readonly nextStep: string | undefined }
  | {
      readonly kind: 'system';
      readonly message: string;
      readonly code: string | undefined;
      readonly syscall: string | undefined;
    };

/** A thread costs more than what so little takes. Stored bytes. */
const BYTES_HERE = 4 << 20;
/** Each has a range of stored bytes and a frame in memory. */
const MAX_THREADS = 3;
/** A thread holds little: what it works on is not its own. */
const limits = { maxOldGenerationSizeMb: 48, maxYoungGenerationSizeMb: 4 };

interface Thread {
  readonly worker: Worker;
  /** What waits for the job that it has. */
  waiting: PromiseWithResolvers<ArrayBuffer> | undefined;
}

/**
 * Unpacks, verifies and writes on threads of their own, one range of a segment each at a time. Small garbage collections of
 * theirs take the place of large ones, which the memory of unpacked frames would bring about here over and over.
 */
export class RangeWorkers implements AsyncDisposable {
  /** How many ranges it takes at once. */
  readonly size = Math.min(MAX_THREADS, Math.max(2, availableParallelism()));
  readonly #cipher: Cipher;
  readonly #here: { readonly digest: (bytes: Uint8Array) => string; readonly files: TargetFiles };
  readonly #threads: Thread[] = [];
  readonly #idle: Thread[] = [];
  readonly #queue: PromiseWithResolvers<Thread>[] = [];
  readonly #running = new Set<Promise<unknown>>();
  #bytes = 0;
  #failure: Failure | undefined;

  constructor(cipher: Cipher) {
    this.#cipher = cipher;
    this.#here = { digest: blockDigests(cipher.idKey), files: new TargetFiles() };
  }

  /**
   * Resolves when every wanted block is verified and written where it belongs. The memory of the job's bytes belongs to
   * this from now on; who gave it gets it back.
   * @throws what `runRangeJob` throws
   */
  async run(job: RangeOrder['job']): Promise<ArrayBuffer> {
    this.#bytes += job.bytes.length;
    if (this.#bytes <= BYTES_HERE) {
      runRangeJob(job, this.#here);
      return job.bytes.buffer;
    }
    const running = this.#runBeside(job);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Waits for what is under way: nothing writes any more afterwards. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#running);
    this.#fail(new Failure('reading-ended', 'Cannot read any more blocks as the work on them has ended'));
    await Promise.all(this.#threads.map(async ({ worker }) => worker.terminate()));
    this.#here.files[Symbol.dispose]();
  }

  async #runBeside(job: RangeOrder['job']): Promise<ArrayBuffer> {
    const thread = await this.#thread();
    const waiting = (thread.waiting = Promise.withResolvers<ArrayBuffer>());
    const order: RangeOrder = { job };
    thread.worker.postMessage(order, [job.bytes.buffer]);
    return waiting.promise;
  }

  async #thread(): Promise<Thread> {
    if (this.#failure) throw this.#failure;
    const idle = this.#idle.pop();
    if (idle) return idle;
    if (this.#threads.length < this.size) return this.#start();
    const turn = Promise.withResolvers<Thread>();
    this.#queue.push(turn);
    return turn.promise;
  }

  #start(): Thread {
    const workerData: RangeWorkerData = { idKey: this.#cipher.idKey };
    // Beside this file, as source and in the program that is published.
    const file = import.meta.url.endsWith('.ts') ? './range-worker.ts' : './range-worker.js';
    const worker = new Worker(new URL(file, import.meta.url), {
      workerData,
      resourceLimits: limits,
      name: 'holdfast-range',
    });
    const thread: Thread = { worker, waiting: undefined };
    this.#threads.push(thread);
    worker.on('message', (answer: RangeAnswer) => this.#answered(thread, answer));
    const failed = (cause: unknown): void =>
      this.#fail(new Failure('reading-failed', 'Cannot read blocks as the thread for it ended', { cause }));
    worker.on('error', failed);
    worker.on('exit', (code) => failed(new Error(`exit code ${code}`)));
    return thread;
  }

  #answered(thread: Thread, { memory, error }: RangeAnswer): void {
    const { waiting } = thread;
    thread.waiting = undefined;
    if (error) waiting?.reject(errorOf(error));
    else waiting?.resolve(memory);
    const next = this.#queue.shift();
    if (next) next.resolve(thread);
    else this.#idle.push(thread);
  }

  #fail(failure: Failure): void {
    this.#failure ??= failure;
    for (const { waiting } of this.#threads) waiting?.reject(this.#failure);
    for (const turn of this.#queue.splice(0)) turn.reject(this.#failure);
  }
}

export function toldError(error: unknown): ToldError {
  if (error instanceof CorruptData) {
    const { code, message, nextStep } = error;
    return { kind: 'damage', code, message, nextStep };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { kind: 'system', message, code: textOf(error, 'code'), syscall: textOf(error, 'syscall') };
}

function errorOf(told: ToldError): Error {
  if (told.kind === 'damage') {
    return new CorruptData(told.code, told.message, told.nextStep === undefined ? {} : { nextStep: told.nextStep });
  }
  const { code, syscall } = told;
  return Object.assign(
    new Error(told.message),
    code === undefined ? {} : { code },
    syscall === undefined ? {} : { syscall },
  );
}

function textOf(error: unknown, name: 'code' | 'syscall'): string | undefined {
  const value: unknown = error instanceof Error ? Reflect.get(error, name) : undefined;
  return typeof value === 'string' ? value : undefined;
}
