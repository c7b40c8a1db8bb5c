import { hash } from 'node:crypto';
import { ByteReader, ByteWriter } from './bytes.ts';
import {
  FRAME,
  FRAME_HEADER_BYTES,
  MAX_BODY_BYTES,
  MAX_PLAIN_BYTES,
  OBJECT_HEADER_BYTES,
  unreadable,
} from './frame.ts';

/** Blocks of one file that follow each other in one frame. */
export interface BlockRun {
  readonly path: string;
  readonly firstBlock: number;
  count: number;
  /** Plain bytes of all of them. */
  bytes: number;
}

export const NODE = { extent: 1, filePage: 2, segmentPage: 3 } as const;
export type NodeType = (typeof NODE)[keyof typeof NODE];

/** What a node is, so that another attempt can find the leaves of a file without any index. */
export interface NodeEntry {
  readonly type: NodeType;
  /** Of extents; empty for pages. */
  readonly path: string;
  readonly level: number;
  /** Number of the node among those of its level in its file. */
  readonly index: number;
}

export type FooterFrame =
  | {
      readonly kind: 'data';
      readonly offset: number;
      readonly bodyLength: number;
      readonly plainLength: number;
      readonly runs: readonly BlockRun[];
    }
  | {
      readonly kind: 'node';
      readonly offset: number;
      readonly bodyLength: number;
      readonly plainLength: number;
      readonly node: NodeEntry;
    };

export const TRAILER_BYTES = 16;
const TRAILER_MAGIC = Buffer.from('HFSEGEND');
const DIGEST_BYTES = 32;
const MAX_PATH_BYTES = 511;
/** What a frame's numbers take in a footer, what a run's, and what stands before a path: at most. */
const FRAME_NUMBERS = 32;
const RUN_NUMBERS = 24;
const PATH_LENGTH = 2;
/** Digest, and counts of paths and frames. */
const AROUND_FRAMES = DIGEST_BYTES + 16;
const MAX_RUN_BYTES = RUN_NUMBERS + PATH_LENGTH + MAX_PATH_BYTES;

/** How many runs fit into a footer of so many plain bytes, whatever their paths are. */
export function runsWithin(bytes: number): number {
  return Math.floor((Math.min(bytes, MAX_PLAIN_BYTES) - AROUND_FRAMES - FRAME_NUMBERS) / MAX_RUN_BYTES);
}

/** Collects what a segment holds while it is filled. */
export class FooterWriter {
  readonly #paths = new Map<string, number>();
  #frames = new ByteWriter(16 << 10);
  #count = 0;
  #pathBytes = 0;

  /** The footer's plain bytes with one more frame of these runs, or one node: an upper bound, to close a segment before it is too late. */
  lengthWith(entries: readonly { readonly path: string }[]): number {
    let length = this.#pathBytes + this.#frames.length + AROUND_FRAMES + FRAME_NUMBERS;
    for (const { path } of entries) length += RUN_NUMBERS + (this.#paths.has(path) ? 0 : pathBytes(path));
    return length;
  }

  addData(bodyLength: number, plainLength: number, runs: readonly BlockRun[]): void {
    this.#frames.u8(FRAME.data).varint(bodyLength).varint(plainLength).varint(runs.length);
    for (const run of runs)
      this.#frames.varint(this.#path(run.path)).varint(run.firstBlock).varint(run.count).varint(run.bytes);
    this.#count += 1;
  }

  addNode(bodyLength: number, plainLength: number, node: NodeEntry): void {
    this.#frames.u8(FRAME.node).varint(bodyLength).varint(plainLength);
    this.#frames.u8(node.type).varint(this.#path(node.path)).varint(node.level).varint(node.index);
    this.#count += 1;
  }

  encode(): Buffer {
    const head = new ByteWriter(this.#pathBytes + 64).varint(this.#paths.size);
    for (const path of this.#paths.keys()) head.text(path);
    head.varint(this.#count);
    const content = Buffer.concat([head.view(), this.#frames.view()]);
    return Buffer.concat([content, hash('sha256', content, 'buffer')]);
  }

  #path(path: string): number {
    const known = this.#paths.get(path);
    if (known !== undefined) return known;
    this.#paths.set(path, this.#paths.size);
    this.#pathBytes += pathBytes(path);
    return this.#paths.size - 1;
  }
}

function pathBytes(path: string): number {
  return PATH_LENGTH + Buffer.byteLength(path);
}

/** The last 16 bytes of a segment: where its footer begins. */
export function encodeTrailer(footerFrameLength: number): Buffer {
  const trailer = Buffer.alloc(TRAILER_BYTES);
  trailer.writeUInt32LE(footerFrameLength, 0);
  TRAILER_MAGIC.copy(trailer, 8);
  return trailer;
}

/** @returns the length of the footer's frame, which ends where the trailer begins. */
export function decodeTrailer(trailer: Buffer, segmentSize: number, name: string): number {
  if (trailer.length !== TRAILER_BYTES || !trailer.subarray(8).equals(TRAILER_MAGIC))
    throw unreadable(name, 'it does not end as a segment');
  const length = trailer.readUInt32LE(0);
  const most = Math.min(segmentSize - OBJECT_HEADER_BYTES - TRAILER_BYTES, FRAME_HEADER_BYTES + MAX_BODY_BYTES);
  if (length < FRAME_HEADER_BYTES || length > most) throw unreadable(name, 'its footer has an impossible length');
  return length;
}

/** @param end where the footer's own frame begins: the frames it lists fill the segment up to there. */
export function decodeFooter(plain: Buffer, name: string, end: number): FooterFrame[] {
  const content = plain.subarray(0, Math.max(0, plain.length - DIGEST_BYTES));
  if (!hash('sha256', content, 'buffer').equals(plain.subarray(content.length)))
    throw unreadable(name, 'its footer is not what was written');
  const reader = new ByteReader(content, `the footer of ${name}`);
  const paths = decodePaths(reader);
  const frames: FooterFrame[] = [];
  let offset = OBJECT_HEADER_BYTES;
  for (let left = reader.varint(content.length); left > 0; left -= 1) {
    const frame = decodeEntry(reader, { offset, paths });
    frames.push(frame);
    offset += FRAME_HEADER_BYTES + frame.bodyLength;
  }
  reader.end();
  if (offset !== end) throw unreadable(name, 'its footer does not fit its size');
  return frames;
}

function decodePaths(reader: ByteReader): string[] {
  const paths: string[] = [];
  for (let left = reader.varint(reader.remaining); left > 0; left -= 1) paths.push(reader.text(MAX_PATH_BYTES));
  return paths;
}

function decodeEntry(reader: ByteReader, { offset, paths }: { offset: number; paths: readonly string[] }): FooterFrame {
  const kind = reader.u8();
  const bodyLength = reader.varint(MAX_BODY_BYTES);
  const plainLength = reader.varint(MAX_PLAIN_BYTES);
  const path = (): string => {
    const found = paths[reader.varint()];
    if (found === undefined) throw reader.damaged('a path is missing');
    return found;
  };
  if (kind === FRAME.node) {
    const code = reader.u8();
    const type = Object.values(NODE).find((each) => each === code);
    if (type === undefined) throw reader.damaged('a node of an unknown type');
    return {
      kind: 'node',
      offset,
      bodyLength,
      plainLength,
      node: { type, path: path(), level: reader.varint(64), index: reader.varint() },
    };
  }
  if (kind !== FRAME.data) throw reader.damaged('a frame of an unknown kind');
  const runs: BlockRun[] = [];
  for (let left = reader.varint(reader.remaining); left > 0; left -= 1) {
    runs.push({ path: path(), firstBlock: reader.varint(), count: reader.varint(), bytes: reader.varint() });
  }
  return { kind: 'data', offset, bodyLength, plainLength, runs };
}
