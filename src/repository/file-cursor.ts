import { decodeExtent, Extent, FANOUT, type Reference, ZERO } from './extent.ts';
import type { FileEntry } from './file-page.ts';
import type { FrameReader } from './frame-reader.ts';

/** Leaves that are fetched ahead while a file is compared from its beginning to its end. */
const AHEAD = 8;

/** Walks the leaves of one stored file in order, holding one node of each level and the next few leaves. */
export class FileCursor {
  readonly #file: FileEntry;
  readonly #reader: FrameReader;
  readonly #nodes: { readonly index: number; readonly extent: Promise<Extent> }[] = [];
  readonly #ahead = new Map<number, Promise<Extent | undefined>>();

  constructor(file: FileEntry, reader: FrameReader) {
    this.#file = file;
    this.#reader = reader;
  }

  get height(): number {
    return this.#file.height;
  }

  /** The leaf that covers blocks `index * 256` and on; undefined behind the file's end. */
  async leaf(index: number): Promise<Extent | undefined> {
    const wanted = this.#ahead.get(index) ?? this.#node(1, index);
    this.#ahead.delete(index);
    const leaf = await wanted;
    for (let next = index + 1; leaf !== undefined && next <= index + AHEAD; next += 1) {
      if (this.#ahead.has(next)) continue;
      const extent = this.#node(1, next);
      extent.catch(() => undefined);
      this.#ahead.set(next, extent);
    }
    return leaf;
  }

  /** Where the node itself lies; only for the current path of the walk. */
  async reference(level: number, index: number): Promise<Reference | undefined> {
    const { root, height } = this.#file;
    if (level > height) return undefined;
    if (level === height) return index === 0 ? root : undefined;
    return (await this.#node(level + 1, Math.floor(index / FANOUT)))?.child(index % FANOUT);
  }

  async #node(level: number, index: number): Promise<Extent | undefined> {
    const { root, height } = this.#file;
    if (root === undefined) return undefined;
    if (height === 0) return level === 1 && index === 0 ? singleBlock(root) : undefined;
    const kept = this.#nodes[level];
    if (kept?.index === index) return kept.extent;
    const reference = await this.reference(level, index);
    if (reference === undefined || reference.frame === ZERO) return undefined;
    const extent = this.#reader.node(reference).then((bytes) => decodeExtent(bytes, `a node of ${this.#file.path}`));
    extent.catch(() => undefined);
    this.#nodes[level] = { index, extent };
    return extent;
  }
}

function singleBlock(root: Reference): Extent {
  const extent = new Extent(1);
  extent.add(root);
  return extent;
}
