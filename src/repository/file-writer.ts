import type { FilePiece } from '../engine/engine.ts';
import { CorruptData } from '../lib/failure.ts';
import type { BlockBatch } from './block-batch.ts';
import type { BlockPipeline } from './block-pipeline.ts';
import { type ByteSpan, wholeSpan } from './bytes.ts';
import { BLOCK_BYTES, FANOUT, type Reference, ZERO, ZERO_ID } from './extent.ts';
import type { FileEntry } from './file-page.ts';
import { FileTree } from './file-tree.ts';
import type { KnownFile } from './known-blocks.ts';
import type { NodeQueue } from './node-queue.ts';

const ZEROS = Buffer.alloc(BLOCK_BYTES);
const ZERO_BLOCK: Reference = { id: ZERO_ID, frame: ZERO, plainOffset: 0 };

export interface FileWriterOptions {
  readonly path: string;
  readonly pipeline: BlockPipeline<FileWork>;
  readonly nodes: NodeQueue;
  readonly known: KnownFile | undefined;
  /** Buffers of one block that finished files gave back. */
  readonly spare: Buffer[];
  /** Called when the file's root is known, which may be long after `end`. */
  readonly onDone: (entry: FileEntry) => void;
}

/** What the pipeline carries besides bytes: whose block it is, or that the file ended. */
export interface FileWork {
  readonly file: FileWriter;
  /** Undefined: the file ended. */
  readonly block: number | undefined;
}

/** Cuts one file into blocks, and builds the tree over them when they come back from the pipeline. */
export class FileWriter {
  readonly #options: FileWriterOptions;
  readonly #tree: FileTree;
  readonly #partial: Buffer;
  #partialLength = 0;
  #blocks = 0;
  #isSparse = false;
  #size = 0;

  constructor(options: FileWriterOptions) {
    this.#options = options;
    this.#partial = options.spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
    const { path, nodes, known, onDone } = options;
    this.#tree = new FileTree({
      path,
      emit: (node) => nodes.add({ ...node, known }),
      onRoot: ({ height, root }) => onDone({ path, size: this.#size, isSparse: this.#isSparse, height, root }),
    });
  }

  async take(piece: Exclude<FilePiece, { type: 'end' }>): Promise<void> {
    if (piece.offset !== this.#size) {
      throw new CorruptData(
        'stream-out-of-order',
        `Cannot store ${piece.path} as bytes of offset ${piece.offset} came at ${this.#size}`,
      );
    }
    if (piece.type === 'data') {
      this.#size += piece.bytes.length;
      await this.#takeBytes(piece.bytes);
      return;
    }
    this.#isSparse = true;
    this.#size += piece.length;
    for (let left = piece.length; left > 0; left -= BLOCK_BYTES)
      await this.#takeBytes(ZEROS.subarray(0, Math.min(left, BLOCK_BYTES)));
  }

  async end(size: number): Promise<void> {
    if (size !== this.#size)
      throw new CorruptData(
        'stream-incomplete',
        `Cannot store ${this.#options.path} as ${this.#size} of ${size} bytes came`,
      );
    if (this.#partialLength > 0) await this.#block({ bytes: this.#partial, start: 0, end: this.#partialLength });
    this.#options.spare.push(this.#partial);
    await this.#options.pipeline.note({ file: this, block: undefined });
  }

  get path(): string {
    return this.#options.path;
  }

  /** What `find` needs first for this block, one block after the other; undefined when it is there. */
  load(block: number): Promise<void> | undefined {
    return block % FANOUT === 0 ? this.#options.known?.load(block / FANOUT) : undefined;
  }

  /** The stored block at this place that is the same as the one of that number in the batch, which one of zeros does not have. */
  find(block: number, { batch, number }: { batch: BlockBatch; number: number | undefined }): Reference | undefined {
    if (number === undefined) return ZERO_BLOCK;
    const { known } = this.#options;
    return known?.hasLeaf === true ? known.find(block, batch.id(number)) : undefined;
  }

  /** The next block, as it was found or has been placed. */
  settle(block: Reference): void {
    this.#tree.add(block);
  }

  /** After the last block was settled. */
  settleEnd(): void {
    this.#tree.end(this.#size);
  }

  async #takeBytes(bytes: Uint8Array): Promise<void> {
    let at = 0;
    while (at < bytes.length) {
      if (this.#partialLength === 0 && bytes.length - at >= BLOCK_BYTES) {
        // Nothing is awaited for a block that there is room for: most of them, and there are many.
        const room = this.#block({ bytes, start: at, end: at + BLOCK_BYTES });
        if (room) await room;
        at += BLOCK_BYTES;
        continue;
      }
      const part = bytes.subarray(at, at + BLOCK_BYTES - this.#partialLength);
      this.#partial.set(part, this.#partialLength);
      this.#partialLength += part.length;
      at += part.length;
      if (this.#partialLength < BLOCK_BYTES) break;
      this.#partialLength = 0;
      await this.#block(wholeSpan(this.#partial));
    }
  }

  /** @returns what to wait for before the bytes may change; undefined where they were taken at once. */
  #block(span: ByteSpan): Promise<void> | undefined {
    const { pipeline } = this.#options;
    const work = { file: this, block: this.#blocks };
    this.#blocks += 1;
    if (isZero(span)) return pipeline.note(work);
    if (!pipeline.hasRoom(span.end - span.start)) return pipeline.makeRoom().then(() => pipeline.add(span, work));
    pipeline.add(span, work);
    return undefined;
  }
}

function isZero({ bytes, start, end }: ByteSpan): boolean {
  return bytes[start] === 0 && bytes[end - 1] === 0 && ZEROS.compare(bytes, start, end, 0, end - start) === 0;
}
