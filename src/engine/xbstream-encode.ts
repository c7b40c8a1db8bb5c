import { crc32 } from 'node:zlib';
import type { FilePiece } from './engine.ts';
import {
  chunkType,
  fixedHeaderBytes,
  magic,
  payloadHeaderBytes,
  sparseEntryBytes,
  sparseHeaderBytes,
} from './xbstream-format.ts';

/** The largest skip that a sparse map's entry can say. */
const maximumSkip = 0xffff_ffff;

/**
 * Writes pieces as a stream that `mbstream` and `xbstream` extract: a chunk per piece, payload passed on without copying.
 * Holes become sparse chunks, which `mbstream` does not read; `holes: 'zeros'` writes them out as zeros instead.
 */
export async function* encodeXbstream(
  pieces: AsyncIterable<readonly FilePiece[]>,
  options: { readonly holes?: 'sparse' | 'zeros' } = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const batch of pieces) {
    for (const piece of batch) {
      if (piece.type === 'end') yield header(chunkType.end, piece.path, 0);
      else if (piece.type === 'data') yield* payload(piece.path, piece.offset, piece.bytes);
      else if (options.holes === 'zeros') yield* zeros(piece);
      else yield* holes(piece);
    }
  }
}

function* payload(path: string, offset: number, bytes: Uint8Array): Generator<Uint8Array> {
  const head = header(chunkType.payload, path, payloadHeaderBytes);
  const at = head.length - payloadHeaderBytes;
  head.writeBigUInt64LE(BigInt(bytes.length), at);
  head.writeBigUInt64LE(BigInt(offset), at + 8);
  head.writeUInt32LE(crc32(bytes), at + 16);
  yield head;
  yield bytes;
}

type Hole = Extract<FilePiece, { type: 'hole' }>;

function* holes(hole: Hole): Generator<Uint8Array> {
  for (let done = 0; done < hole.length; done += maximumSkip) {
    const map = Buffer.alloc(sparseEntryBytes);
    map.writeUInt32LE(Math.min(maximumSkip, hole.length - done), 0);
    const head = header(chunkType.sparse, hole.path, sparseHeaderBytes);
    const at = head.length - sparseHeaderBytes;
    head.writeUInt32LE(1, at);
    head.writeBigUInt64LE(0n, at + 4);
    head.writeBigUInt64LE(BigInt(hole.offset + done), at + 12);
    head.writeUInt32LE(crc32(map), at + 20);
    yield head;
    yield map;
  }
}

const zeroBlock = new Uint8Array(1024 * 1024);

function* zeros(hole: Hole): Generator<Uint8Array> {
  for (let done = 0; done < hole.length; done += zeroBlock.length) {
    yield* payload(hole.path, hole.offset + done, zeroBlock.subarray(0, hole.length - done));
  }
}

function header(type: number, path: string, extra: number): Buffer {
  const name = Buffer.from(path);
  const bytes = Buffer.alloc(fixedHeaderBytes + name.length + extra);
  bytes.set(magic, 0);
  bytes[9] = type;
  bytes.writeUInt32LE(name.length, 10);
  bytes.set(name, fixedHeaderBytes);
  return bytes;
}
