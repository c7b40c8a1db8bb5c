import { BlockBatch } from './block-batch.ts';
import { HashingThread } from './block-hasher.ts';
import { type Cipher, ID_BYTES } from './cipher.ts';
import { BLOCK_BYTES } from './extent.ts';

/** Plain bytes that are hashed together: those of a usual frame. */
const BATCH_BYTES = 1 << 20;

/** Blocks that lie one after the other, and what they should be. */
export interface ClaimedBlocks {
  readonly bytes: Buffer;
  /** 32 bytes a block. */
  readonly ids: Buffer;
}

/** Compares blocks that were read with their ids, hashing them on a thread of its own. Memory: one batch for each call at a time. */
export class BlockVerifier implements Disposable {
  readonly #hasher: HashingThread;
  readonly #free: BlockBatch[] = [];

  constructor(cipher: Cipher) {
    this.#hasher = new HashingThread(cipher);
  }

  /** Is each block what its id says? */
  async areRight(runs: readonly ClaimedBlocks[]): Promise<boolean> {
    if (!runs.every(isComplete)) return false;
    const batch = this.#free.pop() ?? new BlockBatch(BlockBatch.memoryOf(BATCH_BYTES));
    try {
      return await this.#compare(runs, batch);
    } finally {
      batch.clear();
      this.#free.push(batch);
    }
  }

  [Symbol.dispose](): void {
    this.#hasher[Symbol.dispose]();
  }

  async #compare(runs: readonly ClaimedBlocks[], batch: BlockBatch): Promise<boolean> {
    let wanted: Buffer[] = [];
    for (const { block, id } of blocksOf(runs)) {
      if (!batch.hasRoom(block.length)) {
        if (!(await this.#haveIds(batch, wanted))) return false;
        wanted = [];
      }
      batch.add(block);
      wanted.push(id);
    }
    return this.#haveIds(batch, wanted);
  }

  /** Empties the batch. */
  async #haveIds(batch: BlockBatch, wanted: readonly Buffer[]): Promise<boolean> {
    await this.#hasher.hash(batch);
    const isRight = wanted.every((id, number) => id.equals(batch.id(number)));
    batch.clear();
    return isRight;
  }
}

function isComplete({ bytes, ids }: ClaimedBlocks): boolean {
  return Math.ceil(bytes.length / BLOCK_BYTES) === ids.length / ID_BYTES;
}

function* blocksOf(runs: readonly ClaimedBlocks[]): Generator<{ readonly block: Buffer; readonly id: Buffer }> {
  for (const { bytes, ids } of runs) {
    for (let at = 0, id = 0; at < bytes.length; at += BLOCK_BYTES, id += ID_BYTES) {
      yield { block: bytes.subarray(at, at + BLOCK_BYTES), id: ids.subarray(id, id + ID_BYTES) };
    }
  }
}
