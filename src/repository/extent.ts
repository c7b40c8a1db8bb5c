import { ID_BYTES } from './cipher.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import { MAX_BODY_BYTES, MAX_PLAIN_BYTES } from './frame.ts';
import { decodeNames, NameTable } from './name-table.ts';

/** Blocks are the pages of InnoDB: the grain at which a server changes its files. */
export const BLOCK_BYTES = 16 << 10;
/** Children of one node: a leaf covers 4 MiB of a file. */
export const FANOUT = 256;

/** Where a frame lies. Blocks of the same frame share one object, filled in when the frame got its place. */
export interface FramePlace {
  readonly segment: string;
  /** Byte of the segment at which the frame's header begins. */
  readonly offset: number;
  /** Bytes of the body, without the header. */
  readonly length: number;
}

export interface FrameHandle {
  place: FramePlace | undefined;
}

/** A block of zeros: never stored. */
export const ZERO: FrameHandle = { place: undefined };
export const ZERO_ID: Buffer = Buffer.alloc(ID_BYTES);

/** A block or a node: its id, the frame that holds it and where in the frame's plain bytes it begins. */
export interface Reference {
  readonly id: Buffer;
  readonly frame: FrameHandle;
  readonly plainOffset: number;
}

/** The blocks of a few MiB of a file (level 1), or 256 such nodes (level 2), and so on up. */
export class Extent {
  readonly level: number;
  readonly frames: FrameHandle[] = [];
  /** Grows with the children: most files have a few. */
  #ids: Buffer = Buffer.allocUnsafeSlow(8 * ID_BYTES);
  readonly #offsets: number[] = [];

  constructor(level: number) {
    this.level = level;
  }

  get count(): number {
    return this.frames.length;
  }

  add({ id, frame, plainOffset }: Reference): void {
    this.#addIds(id);
    this.#offsets.push(plainOffset);
    this.frames.push(frame);
  }

  /** As `add` for each child of the run. @param ids theirs, one after the other; undefined for zeros */
  addRun({ frame, plainOffset, count }: Readonly<Run>, ids: Buffer | undefined): void {
    this.#addIds(ids ?? Buffer.alloc(count * ID_BYTES));
    for (let at = 0; at < count; at += 1) {
      this.#offsets.push(plainOffset + at * BLOCK_BYTES);
      this.frames.push(frame);
    }
  }

  #addIds(ids: Buffer): void {
    const at = this.frames.length * ID_BYTES;
    const needed = at + ids.length;
    if (needed > this.#ids.length) {
      const grown = Buffer.allocUnsafeSlow(Math.min(Math.max(at * 4, needed), FANOUT * ID_BYTES));
      this.#ids.copy(grown);
      this.#ids = grown;
    }
    this.#ids.set(ids, at);
  }

  child(at: number): Reference | undefined {
    const frame = this.frames[at];
    if (frame === undefined) return undefined;
    return { id: this.id(at), frame, plainOffset: this.plainOffset(at) };
  }

  /** As `child`, without an object for each. */
  id(at: number): Buffer {
    return this.ids(at, 1);
  }

  /** Those of some children that follow each other, one after the other. */
  ids(at: number, count: number): Buffer {
    return this.#ids.subarray(at * ID_BYTES, (at + count) * ID_BYTES);
  }

  plainOffset(at: number): number {
    return this.#offsets[at] ?? 0;
  }

  /** Has every frame its place? Only then can the node be encoded. */
  get isPlaced(): boolean {
    return this.frames.every((frame) => frame === ZERO || frame.place !== undefined);
  }
}

/** Neighbours in the file that are neighbours in one frame: how places are stored. */
interface Run {
  readonly frame: FrameHandle;
  readonly plainOffset: number;
  count: number;
}

const NODE_EXTENT = 1;

export function encodeExtent(extent: Extent): Buffer {
  const names = new NameTable();
  const body = new ByteWriter(FANOUT * ID_BYTES + 1024);
  const runs = runsOf(extent);
  body.varint(runs.length);
  for (const run of runs) encodeRun(body, run, names);
  let at = 0;
  for (const { frame, count } of runs) {
    if (frame !== ZERO) body.bytes(extent.ids(at, count));
    at += count;
  }
  const head = new ByteWriter().u8(NODE_EXTENT).u8(extent.level).varint(extent.count);
  names.encode(head);
  return Buffer.concat([head.view(), body.view()]);
}

export function decodeExtent(bytes: Buffer, what: string): Extent {
  const reader = new ByteReader(bytes, what);
  if (reader.u8() !== NODE_EXTENT) throw reader.damaged('not an extent');
  const extent = new Extent(reader.u8());
  const count = reader.varint(FANOUT);
  const names = decodeNames(reader, FANOUT);
  const runs = decodeRuns(reader, count, names);
  for (const run of runs) extent.addRun(run, run.frame === ZERO ? undefined : reader.bytes(run.count * ID_BYTES));
  reader.end();
  return extent;
}

function runsOf(extent: Extent): Run[] {
  const runs: Run[] = [];
  let at = -1;
  for (const frame of extent.frames) {
    at += 1;
    const plainOffset = extent.plainOffset(at);
    const last = runs.at(-1);
    const isNext =
      last?.frame === frame && (frame === ZERO || plainOffset === last.plainOffset + last.count * BLOCK_BYTES);
    if (isNext) last.count += 1;
    else runs.push({ frame, plainOffset, count: 1 });
  }
  return runs;
}

/** Count; 0 for zeros, else the segment's number + 1, and then the frame's offset and length and the place in it. */
function encodeRun(to: ByteWriter, run: Run, names: NameTable): void {
  to.varint(run.count);
  encodePlace(to, run, names);
}

export function encodePlace(
  to: ByteWriter,
  at: { readonly frame: FrameHandle; readonly plainOffset: number },
  names: NameTable,
): void {
  const place = at.frame.place;
  if (at.frame === ZERO) {
    to.varint(0);
    return;
  }
  if (place === undefined) throw new RangeError('a block without a place');
  to.varint(names.add(place.segment) + 1)
    .varint(place.offset)
    .varint(place.length)
    .varint(at.plainOffset);
}

export function decodePlace(
  reader: ByteReader,
  names: readonly string[],
): { readonly frame: FrameHandle; readonly plainOffset: number } {
  const number = reader.varint(names.length);
  const segment = names[number - 1];
  if (segment === undefined) return { frame: ZERO, plainOffset: 0 };
  const offset = reader.varint(0xffff_ffff);
  const length = reader.varint(MAX_BODY_BYTES);
  return { frame: { place: { segment, offset, length } }, plainOffset: reader.varint(MAX_PLAIN_BYTES) };
}

function decodeRuns(reader: ByteReader, count: number, names: readonly string[]): Run[] {
  const runs: Run[] = [];
  let total = 0;
  for (let left = reader.varint(FANOUT); left > 0; left -= 1) {
    const length = reader.varint(FANOUT);
    total += length;
    if (length === 0 || total > count) throw reader.damaged('runs do not fit the count');
    runs.push({ count: length, ...decodePlace(reader, names) });
  }
  if (total !== count) throw reader.damaged('runs do not fit the count');
  return runs;
}
