import type { BlockBatch } from './block-batch.ts';
import type { BlockThreads } from './block-threads.ts';
import { CODEC, type Compressed, compressSync, type CompressionLevel } from './frame.ts';

/** What compressing gave, in memory that is used again. */
export interface CompressedFrame extends Compressed {
  /** To be called when `body` is not needed any more. */
  release(): void;
}

/** Compresses frames, each to one zstd frame of its own; what does not shrink is kept raw. */
export interface Compressor {
  /** `plain` must not change until the frame is released. */
  compress(plain: Buffer): Promise<CompressedFrame>;
  /**
   * Gives the blocks of a batch their ids and compresses them in one go, for batches that are all new. undefined where it could only
   * give them their ids.
   */
  hashAndCompress?(batch: BlockBatch): Promise<CompressedFrame | undefined>;
}

/** At these levels so little is compressed sooner than a thread starts. */
const FAST_LEVEL = 3;
const COMPRESSED_HERE = 8 << 20;

/** Level 0 stores frames as they are. */
export function createCompressor(level: CompressionLevel, threads: BlockThreads): Compressor {
  if (level > 0) return new ThreadCompressor(level, threads);
  return {
    compress: async (plain) => Promise.resolve({ codec: CODEC.raw, body: plain, release: () => undefined }),
  };
}

/** Uses the same few buffers again and again: new memory for each frame brings about garbage collections. */
class ThreadCompressor implements Compressor {
  readonly #level: CompressionLevel;
  readonly #threads: BlockThreads;
  readonly #free: SharedArrayBuffer[] = [];
  #bytes = 0;

  constructor(level: CompressionLevel, threads: BlockThreads) {
    this.#level = level;
    this.#threads = threads;
  }

  async compress(plain: Buffer): Promise<CompressedFrame> {
    this.#bytes += plain.length;
    const { buffer: memory, byteOffset: offset, length } = plain;
    const isLittle = this.#level <= FAST_LEVEL && this.#bytes <= COMPRESSED_HERE;
    if (isLittle || !(memory instanceof SharedArrayBuffer))
      return { ...compressSync(plain, this.#level), release: () => undefined };
    const into = this.#take(length);
    const packed = await this.#threads.compress({ memory, offset, length }, into, this.#level);
    return this.#frame(plain, into, packed);
  }

  async hashAndCompress(batch: BlockBatch): Promise<CompressedFrame | undefined> {
    const plain = batch.bytes.subarray(0, batch.length);
    const into = this.#take(plain.length);
    const packed = await this.#threads.hashAndCompress(batch, into, this.#level);
    if (packed !== undefined) return this.#frame(plain, into, packed);
    this.#free.push(into);
    return undefined;
  }

  #frame(plain: Buffer, into: SharedArrayBuffer, packed: number): CompressedFrame {
    const release = (): void => void this.#free.push(into);
    if (packed > 0) return { codec: CODEC.zstd, body: Buffer.from(into, 0, packed), release };
    release();
    return { codec: CODEC.raw, body: plain, release: () => undefined };
  }

  #take(length: number): SharedArrayBuffer {
    const free = this.#free.pop();
    // All frames but the last are about as large.
    return free && free.byteLength >= length ? free : new SharedArrayBuffer(length);
  }
}
