import type { Cipher } from './cipher.ts';
import { BLOCK_BYTES, encodeExtent, type Extent, type Reference } from './extent.ts';
import type { PendingNode } from './file-tree.ts';
import { NODE } from './footer.ts';
import type { KnownFile } from './known-blocks.ts';
import type { SegmentUsage } from './segment-usage.ts';
import type { SegmentWriter } from './segment-writer.ts';

export interface NodeQueueOptions {
  readonly segments: SegmentWriter;
  readonly cipher: Cipher;
  readonly usage: SegmentUsage;
  /**
   * Nodes are written so many at a time, so that a reader gets several with one request. Blocks whose leaf is not written are
   * lost when an attempt dies, so no more wait than cover about one segment.
   */
  readonly batch: number;
}

interface QueuedNode extends PendingNode {
  readonly known: KnownFile | undefined;
}

/** Writes nodes in the order they became full, each as soon as all its children have their places. */
export class NodeQueue {
  readonly #options: NodeQueueOptions;
  readonly #queue: QueuedNode[] = [];
  #writtenBytes = 0;
  #flushing: Promise<void> = Promise.resolve();

  constructor(options: NodeQueueOptions) {
    this.#options = options;
  }

  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** Nodes that wait to be written. */
  get waiting(): number {
    return this.#queue.length;
  }

  add(node: QueuedNode): void {
    this.#queue.push(node);
  }

  /** Writes what can be written, once it is worth it. */
  async flush(): Promise<void> {
    if (this.#queue.length >= this.#options.batch) await this.#writeReady();
  }

  /** Writes all that is left; only when every block has its place. */
  async finish(): Promise<void> {
    while (this.#queue.length > 0) await this.#writeReady();
  }

  async #writeReady(): Promise<void> {
    const before = this.#flushing;
    const done = Promise.withResolvers<void>();
    this.#flushing = done.promise;
    await before;
    try {
      let written = 0;
      for (const node of this.#queue) {
        if (!node.extent.isPlaced) break;
        written += 1;
        node.onPlaced(await this.#write(node));
      }
      this.#queue.splice(0, written);
    } finally {
      done.resolve();
    }
  }

  async #write(node: QueuedNode): Promise<Reference> {
    const { segments, cipher, usage } = this.#options;
    const { extent, path, index } = node;
    const plain = encodeExtent(extent);
    const id = cipher.blockId(plain);
    countChildren(node, usage);
    const at = { level: extent.level, index };
    const known = await node.known?.node(id, at);
    if (known) return known;
    const place = await segments.addNode(plain, { type: NODE.extent, path, ...at });
    this.#writtenBytes += place.length;
    return { id, frame: { place }, plainOffset: 0 };
  }
}

function countChildren(
  { extent, blockBytes }: { readonly extent: Extent; readonly blockBytes: number },
  usage: SegmentUsage,
): void {
  let left = blockBytes;
  for (const { place } of extent.frames) {
    const bytes = extent.level === 1 ? Math.min(BLOCK_BYTES, left) : (place?.length ?? 0);
    left -= bytes;
    if (place) usage.add(place.segment, bytes);
  }
}
