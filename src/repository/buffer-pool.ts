/** A fixed number of equal buffers: memory stays flat, and who wants one too many waits. */
export class BufferPool {
  readonly #size: number;
  readonly #isShared: boolean;
  readonly #free: Buffer[] = [];
  readonly #waiting: PromiseWithResolvers<Buffer>[] = [];
  #left: number;
  #failure: { readonly cause: unknown } | undefined;

  /** @param options `isShared`: other threads can use the buffers */
  constructor(options: { readonly count: number; readonly size: number; readonly isShared?: boolean }) {
    this.#size = options.size;
    this.#isShared = options.isShared ?? false;
    this.#left = options.count;
  }

  /** @returns a buffer at once where one is free; else undefined. */
  take(): Buffer | undefined {
    const free = this.#free.pop();
    if (free || this.#left === 0) return free;
    this.#left -= 1;
    return this.#isShared ? Buffer.from(new SharedArrayBuffer(this.#size)) : pageMemory(this.#size);
  }

  async wait(): Promise<Buffer> {
    if (this.#failure) throw this.#failure.cause;
    const free = this.take();
    if (free) return free;
    const waiter = Promise.withResolvers<Buffer>();
    this.#waiting.push(waiter);
    return waiter.promise;
  }

  give(buffer: Buffer): void {
    const next = this.#waiting.shift();
    if (next) next.resolve(buffer);
    else this.#free.push(buffer);
  }

  /** Whoever used the buffers failed: they do not come back, and who waits for one learns why. */
  fail(cause: unknown): void {
    this.#failure ??= { cause };
    for (const waiter of this.#waiting.splice(0)) waiter.reject(cause);
  }
}

/**
 * Memory that begins where a page does: only from such can a store write past the system's cache. V8 makes it so for buffers that
 * could grow; these never do.
 */
function pageMemory(size: number): Buffer {
  return Buffer.from(new ArrayBuffer(size, { maxByteLength: size }), 0, size);
}
