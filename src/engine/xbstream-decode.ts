import { crc32 } from 'node:zlib';
import { CorruptData } from '../lib/failure.ts';
import type { FilePiece } from './engine.ts';
import { PathSet } from './path-set.ts';
import {
  chunkType,
  fixedHeaderBytes,
  magic,
  maximumPathBytes,
  maximumSparseEntries,
  payloadHeaderBytes,
  sparseEntryBytes,
  sparseHeaderBytes,
} from './xbstream-format.ts';
import { safePath } from './xbstream-path.ts';

/** More files than this are never open at once: the tools copy with a few threads. It bounds the decoder's memory. */
const maximumOpenFiles = 2_000;

/**
 * Takes a stream of the tools apart: one batch of pieces per incoming buffer, without copying (`bytes` are views of that
 * buffer). Throws CorruptData, with the byte's place in the message, for anything that is not a whole stream: truncated,
 * changed, reordered, files that occur twice or never end, names that lead out of the data directory.
 * A stream cut between two files is whole by itself; whoever runs the tool knows which files must be there.
 */
export async function* decodeXbstream(
  stream: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly FilePiece[], void, undefined> {
  const decoder = new XbstreamDecoder();
  for await (const bytes of stream) {
    const batch = decoder.push(bytes);
    if (batch.length > 0) yield batch;
  }
  decoder.finish();
}

interface OpenFile {
  readonly path: string;
  size: number;
}

type Stage = 'fixed' | 'rest' | 'map' | 'payload';

class XbstreamDecoder {
  readonly #open = new Map<string, OpenFile>();
  readonly #ended = new PathSet();
  #stage: Stage = 'fixed';
  /** Header bytes of the current stage, which may arrive in any number of parts. */
  #header = Buffer.allocUnsafe(1024);
  #filled = 0;
  #wanted = fixedHeaderBytes;
  #type = 0;
  #pathBytes = 0;
  #file: OpenFile = { path: '', size: 0 };
  /** Bytes of the stream consumed before the buffer at hand, and where the chunk at hand began. */
  #before = 0;
  #chunkAt = 0;
  #payloadLeft = 0;
  #crcWanted = 0;
  #crc = 0;
  #map: readonly SparseEntry[] = [];
  #entry = 0;
  #entryLeft = 0;

  push(bytes: Uint8Array): FilePiece[] {
    const batch: FilePiece[] = [];
    let at = 0;
    while (at < bytes.length) {
      at = this.#stage === 'payload' ? this.#takePayload(bytes, at, batch) : this.#takeHeader(bytes, at, batch);
    }
    this.#before += bytes.length;
    return batch;
  }

  finish(): void {
    if (this.#stage !== 'fixed' || this.#filled > 0) {
      throw corrupt(
        'truncated',
        `it ends inside the chunk that begins at byte ${this.#chunkAt}: ${this.#before} bytes came`,
      );
    }
    const first = this.#open.values().next().value;
    if (first)
      throw corrupt(
        'truncated',
        `${this.#open.size} files have no end, among them ${first.path}: ${this.#before} bytes came`,
      );
  }

  #takeHeader(bytes: Uint8Array, at: number, batch: FilePiece[]): number {
    if (this.#stage === 'fixed' && this.#filled === 0) this.#chunkAt = this.#before + at;
    const count = Math.min(this.#wanted - this.#filled, bytes.length - at);
    this.#header.set(bytes.subarray(at, at + count), this.#filled);
    this.#filled += count;
    if (this.#filled === this.#wanted) this.#headerComplete(batch);
    return at + count;
  }

  #headerComplete(batch: FilePiece[]): void {
    if (this.#stage === 'fixed') this.#readFixed();
    else if (this.#stage === 'rest') this.#readRest(batch);
    else this.#readMap(batch);
  }

  #expect(stage: Stage, wanted: number): void {
    this.#stage = stage;
    this.#wanted = wanted;
    this.#filled = 0;
  }

  #readFixed(): void {
    const header = this.#header;
    for (let index = 0; index < magic.length; index += 1) {
      if (header[index] !== magic[index]) throw corrupt('magic', `no chunk begins at byte ${this.#chunkAt}`);
    }
    const flags = header[8] ?? 0;
    if (flags > 1) throw corrupt('flags', `the chunk at byte ${this.#chunkAt} has unknown flags: ${flags}`);
    this.#type = header[9] ?? 0;
    this.#pathBytes = header.readUInt32LE(10);
    if (this.#pathBytes === 0 || this.#pathBytes > maximumPathBytes) {
      throw corrupt('path', `the name in the chunk at byte ${this.#chunkAt} is ${this.#pathBytes} bytes long`);
    }
    this.#expect('rest', this.#pathBytes + this.#restBytes());
  }

  #restBytes(): number {
    if (this.#type === chunkType.payload) return payloadHeaderBytes;
    if (this.#type === chunkType.sparse) return sparseHeaderBytes;
    if (this.#type === chunkType.end) return 0;
    // The format has a flag for types that may be skipped; no tool has ever written one, so nobody knows how to skip them.
    throw corrupt('type', `the chunk at byte ${this.#chunkAt} is of an unknown type: 0x${this.#type.toString(16)}`);
  }

  #readRest(batch: FilePiece[]): void {
    const path = safePath(this.#header.subarray(0, this.#pathBytes), this.#chunkAt + fixedHeaderBytes);
    if (this.#ended.has(path))
      throw corrupt('duplicate', `the file ${path} goes on at byte ${this.#chunkAt} after its end`);
    this.#file = this.#opened(path);
    if (this.#type === chunkType.end) return this.#endFile(batch);
    const sparse = this.#type === chunkType.sparse;
    const numbers = this.#pathBytes + (sparse ? 4 : 0);
    const length = this.#header.readBigUInt64LE(numbers);
    const offset = this.#header.readBigUInt64LE(numbers + 8);
    if (offset !== BigInt(this.#file.size)) {
      throw corrupt(
        'offset',
        `the chunk of ${path} at byte ${this.#chunkAt} belongs at ${offset}, the file is at ${this.#file.size}`,
      );
    }
    if (length + offset > BigInt(Number.MAX_SAFE_INTEGER))
      throw corrupt('length', `the chunk at byte ${this.#chunkAt} says it is ${length} bytes long`);
    this.#payloadLeft = Number(length);
    this.#crcWanted = this.#header.readUInt32LE(numbers + 16);
    this.#crc = 0;
    if (sparse) this.#expectMap(this.#header.readUInt32LE(this.#pathBytes), batch);
    else this.#payloadBegins([{ skip: 0, length: this.#payloadLeft }], batch);
  }

  #opened(path: string): OpenFile {
    const known = this.#open.get(path);
    if (known) return known;
    if (this.#open.size >= maximumOpenFiles)
      throw corrupt('open-files', `more than ${maximumOpenFiles} files are open at byte ${this.#chunkAt}`);
    const file = { path, size: 0 };
    this.#open.set(path, file);
    return file;
  }

  #endFile(batch: FilePiece[]): void {
    this.#open.delete(this.#file.path);
    this.#ended.add(this.#file.path);
    batch.push({ type: 'end', path: this.#file.path, size: this.#file.size });
    this.#expect('fixed', fixedHeaderBytes);
  }

  #expectMap(entries: number, batch: FilePiece[]): void {
    if (entries > maximumSparseEntries)
      throw corrupt('length', `the chunk at byte ${this.#chunkAt} says it has ${entries} sparse parts`);
    const wanted = entries * sparseEntryBytes;
    if (wanted > this.#header.length) this.#header = Buffer.allocUnsafe(wanted);
    this.#expect('map', wanted);
    if (wanted === 0) this.#readMap(batch);
  }

  #readMap(batch: FilePiece[]): void {
    const bytes = this.#header.subarray(0, this.#wanted);
    this.#crc = crc32(bytes);
    const map = sparseMap(bytes);
    const total = map.reduce((sum, entry) => sum + entry.length, 0);
    if (total !== this.#payloadLeft) {
      throw corrupt(
        'length',
        `the sparse parts of the chunk at byte ${this.#chunkAt} have ${total} bytes, its payload ${this.#payloadLeft}`,
      );
    }
    this.#payloadBegins(map, batch);
  }

  #payloadBegins(map: readonly SparseEntry[], batch: FilePiece[]): void {
    this.#map = map;
    this.#entry = -1;
    this.#entryLeft = 0;
    this.#stage = 'payload';
    this.#nextEntry(batch);
    if (this.#payloadLeft === 0) this.#payloadEnds();
  }

  /** Emits the holes up to the next entry that has bytes. */
  #nextEntry(batch: FilePiece[]): void {
    while (this.#entryLeft === 0) {
      this.#entry += 1;
      const entry = this.#map[this.#entry];
      if (!entry) return;
      if (entry.skip > 0) {
        batch.push({ type: 'hole', path: this.#file.path, offset: this.#file.size, length: entry.skip });
        this.#file.size += entry.skip;
      }
      this.#entryLeft = entry.length;
    }
  }

  #takePayload(bytes: Uint8Array, from: number, batch: FilePiece[]): number {
    const count = Math.min(this.#entryLeft, bytes.length - from);
    const part = bytes.subarray(from, from + count);
    this.#crc = crc32(part, this.#crc);
    batch.push({ type: 'data', path: this.#file.path, offset: this.#file.size, bytes: part });
    this.#file.size += count;
    this.#payloadLeft -= count;
    this.#entryLeft -= count;
    this.#nextEntry(batch);
    if (this.#payloadLeft === 0) this.#payloadEnds();
    return from + count;
  }

  #payloadEnds(): void {
    if (this.#crc !== this.#crcWanted) {
      throw corrupt('checksum', `the chunk of ${this.#file.path} at byte ${this.#chunkAt} does not match its checksum`);
    }
    this.#expect('fixed', fixedHeaderBytes);
  }
}

interface SparseEntry {
  readonly skip: number;
  readonly length: number;
}

function sparseMap(bytes: Buffer): readonly SparseEntry[] {
  const map: SparseEntry[] = [];
  for (let at = 0; at < bytes.length; at += sparseEntryBytes) {
    map.push({ skip: bytes.readUInt32LE(at), length: bytes.readUInt32LE(at + 4) });
  }
  return map;
}

function corrupt(code: string, what: string): CorruptData {
  return new CorruptData(`xbstream-${code}`, `Cannot decode the backup stream as ${what}`, {
    nextStep: 'Run the backup again; if this repeats, check the memory and the disks of this host.',
  });
}
