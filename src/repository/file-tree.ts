import { BLOCK_BYTES, Extent, FANOUT, type Reference } from './extent.ts';

/** A node that is complete but for the places of its children, and who wants to know where it went. */
export interface PendingNode {
  readonly path: string;
  readonly extent: Extent;
  readonly index: number;
  /** Plain bytes of the blocks below a leaf; 0 for nodes above. */
  readonly blockBytes: number;
  readonly onPlaced: (reference: Reference) => void;
}

export interface TreeRoot {
  readonly height: number;
  readonly root: Reference | undefined;
}

export interface FileTreeOptions {
  readonly path: string;
  readonly emit: (node: PendingNode) => void;
  readonly onRoot: (root: TreeRoot) => void;
}

/** Builds the tree over one file's blocks from left to right; holds one unfinished node of each level. */
export class FileTree {
  readonly #options: FileTreeOptions;
  readonly #open: Extent[] = [];
  readonly #emitted: number[] = [];
  #waiting = 0;
  #size: number | undefined;

  constructor(options: FileTreeOptions) {
    this.#options = options;
  }

  add(block: Reference): void {
    this.#add(1, block);
  }

  /** No more blocks come. `onRoot` is called as soon as all nodes have their places, perhaps at once. */
  end(size: number): void {
    this.#size = size;
    this.#settle();
  }

  #add(level: number, child: Reference): void {
    const extent = (this.#open[level] ??= new Extent(level));
    extent.add(child);
    if (extent.count === FANOUT) this.#emit(level, extent);
  }

  #emit(level: number, extent: Extent): void {
    const index = this.#emitted[level] ?? 0;
    this.#emitted[level] = index + 1;
    this.#open[level] = new Extent(level);
    this.#waiting += 1;
    this.#options.emit({
      path: this.#options.path,
      extent,
      index,
      blockBytes: level === 1 ? this.#blockBytes(index, extent.count) : 0,
      onPlaced: (reference) => {
        this.#waiting -= 1;
        this.#add(level + 1, reference);
        this.#settle();
      },
    });
  }

  /** Closes one unfinished node after the other, from the bottom up, when nothing below it is on its way any more. */
  #settle(): void {
    if (this.#size === undefined || this.#waiting > 0) return;
    const level = this.#open.findIndex((extent) => extent !== undefined && extent.count > 0);
    const extent = this.#open[level];
    if (extent === undefined) {
      this.#options.onRoot({ height: 0, root: undefined });
      return;
    }
    const isTop = (this.#emitted[level] ?? 0) === 0;
    if (isTop && extent.count === 1) this.#options.onRoot({ height: level - 1, root: extent.child(0) });
    else this.#emit(level, extent);
  }

  #blockBytes(index: number, count: number): number {
    const start = index * FANOUT * BLOCK_BYTES;
    const full = count * BLOCK_BYTES;
    return this.#size === undefined ? full : Math.min(full, this.#size - start);
  }
}
