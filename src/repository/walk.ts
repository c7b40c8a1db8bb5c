import { BLOCK_BYTES, decodeExtent, Extent, FANOUT, type Reference, ZERO } from './extent.ts';
import type { FileEntry } from './file-page.ts';
import type { IndexReader } from './index-reader.ts';
import { CorruptData } from '../lib/failure.ts';

/** Blocks of one file that follow each other, as one leaf lists them. */
export interface WalkedLeaf {
  readonly firstBlock: number;
  readonly extent: Extent;
}

export interface WalkOptions {
  /** Nodes for which this says no are not read, nor anything below them. */
  readonly isWanted?: (node: Reference) => boolean;
}

/** Nodes that are fetched before their turn: a store answers several requests in the time of one. */
const NODES_AHEAD = 8;

interface Position {
  readonly reference: Reference;
  readonly level: number;
  readonly firstBlock: number;
  /** Blocks of the file that the node covers. */
  readonly blocks: number;
}

/**
 * Every leaf of a file in order, each node verified. A file of one block has a leaf of its own, made up here. Throws
 * CorruptData when the tree does not cover exactly the file's bytes.
 */
export async function* walkFile(
  index: IndexReader,
  file: FileEntry,
  options: WalkOptions = {},
): AsyncGenerator<WalkedLeaf> {
  const { root, height } = file;
  if (root === undefined) return;
  const blocks = Math.ceil(file.size / BLOCK_BYTES);
  if (heightOf(blocks) !== height) throw misshapen(index, file.path);
  if (height > 0) {
    yield* walkNode(index, { reference: root, level: height, firstBlock: 0, blocks }, options);
    return;
  }
  const extent = new Extent(1);
  extent.add(root);
  yield { firstBlock: 0, extent };
}

async function* walkNode(index: IndexReader, at: Position, options: WalkOptions): AsyncGenerator<WalkedLeaf> {
  if (isWanted(at, options)) yield* walkExtent(index, { at, extent: await readNode(index, at) }, options);
}

async function* walkExtent(
  index: IndexReader,
  { at, extent }: { readonly at: Position; readonly extent: Extent },
  options: WalkOptions,
): AsyncGenerator<WalkedLeaf> {
  if (at.level === 1) {
    yield { firstBlock: at.firstBlock, extent };
    return;
  }
  const below = positionsBelow(at, extent).filter((position) => isWanted(position, options));
  const reads: Promise<Extent>[] = [];
  for (const [number, position] of below.entries()) {
    for (const next of below.slice(reads.length, number + NODES_AHEAD)) {
      const read = readNode(index, next);
      // Whoever comes to it learns of its failure; one that ends early never does.
      read.catch(() => undefined);
      reads.push(read);
    }
    const read = await reads[number];
    if (read) yield* walkExtent(index, { at: position, extent: read }, options);
  }
}

function isWanted({ reference }: Position, options: WalkOptions): boolean {
  return options.isWanted === undefined || options.isWanted(reference);
}

function positionsBelow(at: Position, extent: Extent): Position[] {
  const blocksEach = FANOUT ** (at.level - 1);
  const positions: Position[] = [];
  for (let number = 0; number < extent.count; number += 1) {
    const reference = extent.child(number);
    if (!reference) break;
    const before = number * blocksEach;
    const blocks = Math.min(blocksEach, at.blocks - before);
    positions.push({ reference, level: at.level - 1, firstBlock: at.firstBlock + before, blocks });
  }
  return positions;
}

async function readNode(index: IndexReader, { reference, level, blocks }: Position): Promise<Extent> {
  if (reference.frame === ZERO) throw misshapen(index, 'a file');
  const extent = decodeExtent(await index.frames.node(reference), `a node of ${index.root.backup}`);
  if (extent.level !== level || extent.count !== Math.ceil(blocks / FANOUT ** (level - 1)))
    throw misshapen(index, 'a file');
  return extent;
}

/** A tree is as high as its blocks need: one block has no node, up to 256 have one, and so on. */
function heightOf(blocks: number): number {
  let height = 0;
  for (let covered = 1; covered < blocks; covered *= FANOUT) height += 1;
  return height;
}

function misshapen(index: IndexReader, what: string): CorruptData {
  const message = `Cannot read backup ${index.root.backup} as the tree of ${what} does not fit its size`;
  return new CorruptData('repository-damaged', message);
}
