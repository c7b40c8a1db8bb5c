import { constants, createZstdCompress, type ZstdCompress } from 'node:zlib';
import { releaseMemory } from '../lib/release-memory.ts';
import { type Compressed, type CompressionLevel, keepShorter } from './frame.ts';

/**
 * The buffer that compressed bytes are put into, one frame after the other, until it is full. Large, because taking memory
 * for each frame costs more than a third of the time that compressing it takes.
 */
const OUTPUT_BYTES = 4 << 20;

/** What compressing gave, in memory that is used again. */
export interface CompressedFrame extends Compressed {
  /** To be called when `body` is not needed any more. */
  release(): void;
}

/** Compresses on the thread pool, each call one zstd frame of its own; what does not shrink is kept raw. */
export interface Compressor extends Disposable {
  /** `plain` must not change until the frame is released. */
  compress(plain: Buffer): Promise<CompressedFrame>;
}

export function createCompressor(level: CompressionLevel): Compressor {
  if (level > 0) return new ZstdCompressor(level);
  const compress = async (plain: Buffer): Promise<CompressedFrame> =>
    Promise.resolve({ ...keepShorter(plain, plain), release: () => undefined });
  return { compress, [Symbol.dispose]: () => undefined };
}

/** Keeps as many zstd contexts as there are frames at once, and uses them again and again. */
class ZstdCompressor implements Compressor {
  readonly #level: CompressionLevel;
  readonly #idle: Context[] = [];
  #isDisposed = false;

  constructor(level: CompressionLevel) {
    this.#level = level;
  }

  async compress(plain: Buffer): Promise<CompressedFrame> {
    const context = this.#idle.pop() ?? new Context(this.#level);
    const packed = await context.compress(plain);
    const release = (): void => {
      context.release();
      if (this.#isDisposed) context.dispose();
      else this.#idle.push(context);
    };
    return { ...keepShorter(plain, packed), release };
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    for (const context of this.#idle.splice(0)) context.dispose();
  }
}

class Context {
  readonly #stream: ZstdCompress;
  #parts: Buffer[] = [];
  /** In the buffer that the stream may still put more into. */
  #last: Buffer | undefined;

  constructor(level: CompressionLevel) {
    this.#stream = createZstdCompress({
      chunkSize: OUTPUT_BYTES,
      // Ends the frame, not the stream, with each write: the next one begins a new frame.
      flush: constants.ZSTD_e_end,
      params: { [constants.ZSTD_c_compressionLevel]: level },
    });
    this.#stream.on('data', (part: Buffer) => this.#parts.push(part));
  }

  /** What it returns is valid until `release`. */
  async compress(plain: Buffer): Promise<Buffer> {
    await new Promise<void>((resolve, reject) => {
      this.#stream.once('error', reject);
      this.#stream.write(plain, () => {
        this.#stream.off('error', reject);
        resolve();
      });
    });
    const [only, ...more] = this.#parts;
    return only !== undefined && more.length === 0 ? only : Buffer.concat(this.#parts);
  }

  /** Frees the buffers that the stream has left behind: it fills one after the other. */
  release(): void {
    for (const part of this.#parts.splice(0)) {
      if (this.#last && this.#last.buffer !== part.buffer) releaseMemory(this.#last);
      this.#last = part;
    }
  }

  dispose(): void {
    this.#stream.destroy();
  }
}
