import type { FilePiece } from '../engine/engine.ts';
import type { Sealed } from './documents.ts';
import { BLOCK_BYTES } from './extent.ts';
import type { FileEntry } from './file-page.ts';
import { IndexReader } from './index-reader.ts';
import { learntFrom, readingFailure } from './reading-failure.ts';
import type { Repository } from './repository.ts';
import { type WalkedLeaf, walkFile } from './walk.ts';

/** A backup's files one after the other, in order of their names: what `repository export` turns into a stream. */
export async function* exportFiles(
  repository: Repository,
  sealed: Sealed,
  signal: AbortSignal,
): AsyncGenerator<FilePiece> {
  try {
    const index = await IndexReader.open(sealed, { ...repository, signal });
    for await (const file of index.files()) {
      for await (const leaf of walkFile(index, file)) yield* piecesOf(index, { file, leaf });
      yield { type: 'end', path: file.path, size: file.size };
    }
  } catch (error) {
    throw await learntFrom(readingFailure(error), repository);
  }
}

async function* piecesOf(
  index: IndexReader,
  { file, leaf }: { readonly file: FileEntry; readonly leaf: WalkedLeaf },
): AsyncGenerator<FilePiece> {
  for (let at = 0; at < leaf.extent.count; at += 1) {
    const child = leaf.extent.child(at);
    const offset = (leaf.firstBlock + at) * BLOCK_BYTES;
    const length = Math.min(BLOCK_BYTES, file.size - offset);
    if (child) yield { type: 'data', path: file.path, offset, bytes: await index.frames.block(child, length) };
  }
}
