import type { FilePiece } from '../engine/engine.ts';
import { CorruptData } from '../lib/failure.ts';
import type { Cipher } from './cipher.ts';
import { BLOCK_BYTES, FANOUT, ZERO, ZERO_ID } from './extent.ts';
import type { FileEntry } from './file-page.ts';
import { FileTree } from './file-tree.ts';
import type { KnownFile } from './known-blocks.ts';
import type { NodeQueue } from './node-queue.ts';
import type { SegmentWriter } from './segment-writer.ts';

const ZEROS = Buffer.alloc(BLOCK_BYTES);

export interface FileWriterOptions {
  readonly path: string;
  readonly segments: SegmentWriter;
  readonly nodes: NodeQueue;
  readonly cipher: Cipher;
  readonly known: KnownFile | undefined;
  /** Buffers of one block that finished files gave back. */
  readonly spare: Buffer[];
  /** Called when the file's root is known, which may be long after `end`. */
  readonly onDone: (entry: FileEntry) => void;
}

/** Cuts one file into blocks, tells the known ones from the new, and builds the tree over them. */
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
    if (this.#partialLength > 0) await this.#block(this.#partial.subarray(0, this.#partialLength));
    this.#options.spare.push(this.#partial);
    this.#tree.end(size);
  }

  async #takeBytes(bytes: Uint8Array): Promise<void> {
    let at = 0;
    while (at < bytes.length) {
      if (this.#partialLength === 0 && bytes.length - at >= BLOCK_BYTES) {
        await this.#block(bytes.subarray(at, at + BLOCK_BYTES));
        at += BLOCK_BYTES;
        continue;
      }
      const part = bytes.subarray(at, at + BLOCK_BYTES - this.#partialLength);
      this.#partial.set(part, this.#partialLength);
      this.#partialLength += part.length;
      at += part.length;
      if (this.#partialLength < BLOCK_BYTES) break;
      this.#partialLength = 0;
      await this.#block(this.#partial);
    }
  }

  async #block(bytes: Uint8Array): Promise<void> {
    const block = this.#blocks;
    this.#blocks += 1;
    const { path, segments, cipher, known } = this.#options;
    if (known && block % FANOUT === 0) await known.load(block / FANOUT);
    if (isZero(bytes)) {
      this.#tree.add({ id: ZERO_ID, frame: ZERO, plainOffset: 0 });
      return;
    }
    const id = cipher.blockId(bytes);
    const found = known?.find(block, id);
    if (found) {
      this.#tree.add(found);
      return;
    }
    if (!segments.hasRoom) await segments.makeRoom();
    this.#tree.add({ id, ...segments.addBlock(bytes, path, block) });
  }
}

function isZero(bytes: Uint8Array): boolean {
  return bytes[0] === 0 && bytes[bytes.length - 1] === 0 && ZEROS.subarray(0, bytes.length).equals(bytes);
}
