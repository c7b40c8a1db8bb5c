import { type ByteSpan, copySpan } from './bytes.ts';
import { ID_BYTES } from './cipher.ts';

/** More blocks than this are in no batch, however small they are: it bounds the memory for their ids. */
const MAX_BLOCKS = 128;

/**
 * Blocks that are hashed together: their bytes one after the other, then the ids and the lengths. The memory is shared with the
 * thread that hashes, so nothing is sent but a number.
 */
export class BlockBatch {
  readonly memory: SharedArrayBuffer;
  /** The blocks' bytes, `length` of them in use. */
  readonly bytes: Buffer;
  readonly #ids: Buffer;
  readonly #lengths: Uint32Array;
  #count = 0;
  #length = 0;

  /** @param memory made by `memoryOf`; another thread's batch of the same memory has the same blocks. */
  constructor(memory: SharedArrayBuffer, count = 0) {
    const room = memory.byteLength - MAX_BLOCKS * (ID_BYTES + 4);
    this.memory = memory;
    this.bytes = Buffer.from(memory, 0, room);
    this.#ids = Buffer.from(memory, room, MAX_BLOCKS * ID_BYTES);
    this.#lengths = new Uint32Array(memory, room + MAX_BLOCKS * ID_BYTES, MAX_BLOCKS);
    this.#count = count;
  }

  /** @param bytes a multiple of 4 */
  static memoryOf(bytes: number): SharedArrayBuffer {
    return new SharedArrayBuffer(bytes + MAX_BLOCKS * (ID_BYTES + 4));
  }

  get count(): number {
    return this.#count;
  }

  get length(): number {
    return this.#length;
  }

  hasRoom(length: number): boolean {
    return this.#count < MAX_BLOCKS && this.#length + length <= this.bytes.length;
  }

  /** Copies a block. @returns its number in the batch */
  add(block: ByteSpan): number {
    copySpan(block, this.bytes, this.#length);
    const length = block.end - block.start;
    this.#length += length;
    this.#lengths[this.#count] = length;
    this.#count += 1;
    return this.#count - 1;
  }

  clear(): void {
    this.#count = 0;
    this.#length = 0;
  }

  lengthOf(number: number): number {
    return this.#lengths[number] ?? 0;
  }

  /** Valid until the batch is cleared. */
  id(number: number): Buffer {
    return this.#ids.subarray(number * ID_BYTES, (number + 1) * ID_BYTES);
  }

  /** Fills in the id of every block. @param digest gives it as text, a character a byte */
  identify(digest: (bytes: Uint8Array) => string): void {
    for (let number = 0, at = 0; number < this.#count; number += 1) {
      const end = at + this.lengthOf(number);
      this.#ids.write(digest(this.bytes.subarray(at, end)), number * ID_BYTES, 'latin1');
      at = end;
    }
  }
}
