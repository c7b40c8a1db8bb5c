import { constants, createZstdDecompress, type ZstdDecompress } from 'node:zlib';
import { releaseMemory } from '../lib/release-memory.ts';

/** A frame's window is 8 MiB at most, which zstd's level 19 uses: what claims more would take more memory. */
export const MAX_WINDOW_LOG = 23;

/** Plain bytes of frames are put into such a buffer, one after the other, until it is full. */
const OUTPUT_BYTES = 4 << 20;

/** What decompressing gave, in memory that is used again. */
export interface PlainFrame {
  readonly bytes: Buffer;
  /** To be called when `bytes` are not needed any more. */
  readonly release: () => void;
}

/**
 * Decompresses on the thread pool, and keeps zstd contexts and their buffers for the next frames: to make them anew for each
 * costs a fifth of the time, most of it in the garbage collections that this brings about.
 */
export class Decompressor implements Disposable {
  readonly #idle: Context[] = [];
  #isDisposed = false;

  /** @throws what zstd says, or RangeError when it is not so many bytes; much more are never unpacked. */
  async decompress(body: Buffer, length: number): Promise<PlainFrame> {
    const context = this.#idle.pop() ?? new Context();
    try {
      const bytes = await context.decompress(body, length);
      return { bytes, release: () => this.#release(context) };
    } catch (error) {
      // It may hold half a frame: nobody uses it again.
      context.dispose();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    for (const context of this.#idle.splice(0)) context.dispose();
  }

  #release(context: Context): void {
    context.release();
    if (this.#isDisposed) context.dispose();
    else this.#idle.push(context);
  }
}

class Context {
  readonly #stream: ZstdDecompress;
  #parts: Buffer[] = [];
  #length = 0;
  #wanted = 0;
  /** In the buffer that the stream may still put more into. */
  #last: Buffer | undefined;

  constructor() {
    this.#stream = createZstdDecompress({
      chunkSize: OUTPUT_BYTES,
      params: { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG },
    });
    this.#stream.on('data', (part: Buffer) => {
      this.#parts.push(part);
      this.#length += part.length;
      if (this.#length > this.#wanted) this.#stream.destroy();
    });
    // An error is told by the write that brought it about; one that came later must not end the process.
    this.#stream.on('error', () => undefined);
  }

  /** What it returns is valid until `release`. */
  async decompress(body: Buffer, length: number): Promise<Buffer> {
    this.#length = 0;
    this.#wanted = length;
    await new Promise<void>((resolve, reject) => {
      this.#stream.once('error', reject);
      this.#stream.write(body, (error) => {
        this.#stream.off('error', reject);
        if (error) reject(error);
        else resolve();
      });
    });
    if (this.#length !== length) throw new RangeError(`the frame has ${this.#length} bytes or more, not ${length}`);
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
