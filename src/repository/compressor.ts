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
    if (packed > 0)
      return {
        codec: CODEC.zstd,
        body: Buffer.from(into, 0, packed),
        release: () => this.#free.push(into),
      };
    this.#free.push(into);
    return { codec: CODEC.raw, body: plain, release: () => undefined };
  }

  #take(length: number): SharedArrayBuffer {
    const free = this.#free.pop();
    // All frames but the last are about as large.
    return free && free.byteLength >= length ? free : new SharedArrayBuffer(length);
  }
}
