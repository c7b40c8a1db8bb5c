import { CorruptData } from '../lib/failure.ts';
import { ObjectNotFound } from '../storage/storage.ts';
import { type Extent, FANOUT, type Reference } from './extent.ts';
import { FileCursor } from './file-cursor.ts';
import type { FileEntry } from './file-page.ts';
import type { IndexReader } from './index-reader.ts';
import type { UploadedLeaves } from './uploaded-leaves.ts';

export interface KnownBlocksOptions {
  /** The newest sealed backup of the same lineage. */
  readonly previous: IndexReader | undefined;
  /** What earlier attempts of this backup uploaded. */
  readonly uploaded: UploadedLeaves | undefined;
  /** May a new backup refer to this segment? Not to one that is missing, noted bad, or mostly unused. */
  readonly isUsable: (segment: string) => boolean;
}

/** Finds out what is stored already. The candidate for a block is the same place of the same file. */
export class KnownBlocks {
  readonly #options: KnownBlocksOptions;

  constructor(options: KnownBlocksOptions) {
    this.#options = options;
  }

  async file(path: string): Promise<KnownFile> {
    const { previous } = this.#options;
    const entry = await readable(previous?.file(path));
    return new KnownFile(path, { ...this.#options, entry });
  }

  /** The page of the list of files that begins with this name. */
  async page(id: Buffer, at: { readonly first: string; readonly level: number }): Promise<Reference | undefined> {
    const candidate = await readable(this.#options.previous?.page(at));
    return candidate && isKnown(candidate, { id, isUsable: this.#options.isUsable }) ? candidate : undefined;
  }
}

interface KnownFileOptions extends KnownBlocksOptions {
  readonly entry: FileEntry | undefined;
}

/** The known blocks of one file, leaf by leaf, in order. A node is known by the same rule as a block. */
export class KnownFile {
  readonly #path: string;
  readonly #options: KnownFileOptions;
  readonly #leafCursor: FileCursor | undefined;
  /** Nodes are asked for later than leaves, so they have a place in the file of their own. */
  readonly #nodeCursor: FileCursor | undefined;
  #leaves: readonly Extent[] = [];

  constructor(path: string, options: KnownFileOptions) {
    this.#path = path;
    this.#options = options;
    const { entry, previous } = options;
    if (!entry?.root || !previous) return;
    this.#leafCursor = new FileCursor(entry, previous.frames);
    this.#nodeCursor = new FileCursor(entry, previous.frames);
  }

  /** To be called before the first block of each leaf. */
  async load(leaf: number): Promise<void> {
    const found = await Promise.all([
      readable(this.#leafCursor?.leaf(leaf)),
      readable(this.#options.uploaded?.leaf(this.#path, leaf)),
    ]);
    this.#leaves = found.filter((extent) => extent !== undefined);
  }

  /** Is there anything to be found in what `load` brought? */
  get hasLeaf(): boolean {
    return this.#leaves.length > 0;
  }

  /** The stored block with this id at this place, if it may be referred to. */
  find(block: number, id: Buffer): Reference | undefined {
    for (const leaf of this.#leaves) {
      const child = leaf.child(block % FANOUT);
      if (child && this.#isKnown(child, id)) return child;
    }
    return undefined;
  }

  async node(
    id: Buffer,
    { level, index }: { readonly level: number; readonly index: number },
  ): Promise<Reference | undefined> {
    const previous = await readable(this.#nodeCursor?.reference(level, index));
    if (previous && this.#isKnown(previous, id)) return previous;
    const uploaded = await readable(this.#options.uploaded?.node(this.#path, { level, index }));
    return uploaded && this.#isKnown(uploaded, id) ? uploaded : undefined;
  }

  #isKnown(candidate: Reference, id: Buffer): boolean {
    return isKnown(candidate, { id, isUsable: this.#options.isUsable });
  }
}

/** What cannot be read is not known: damage in an older backup must not keep a new one from being made. */
async function readable<T>(reading: Promise<T> | undefined): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof CorruptData || error instanceof ObjectNotFound) return undefined;
    throw error;
  }
}

function isKnown(
  candidate: Reference,
  { id, isUsable }: { id: Buffer; isUsable: (segment: string) => boolean },
): boolean {
  const place = candidate.frame.place;
  return place !== undefined && candidate.id.equals(id) && isUsable(place.segment);
}
